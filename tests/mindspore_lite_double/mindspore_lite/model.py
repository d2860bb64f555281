"""Models: built once, views of shared buffers for answers, one sentence for every failure."""

import atexit
import logging
import os
import threading
import time
import weakref
from enum import Enum

import numpy
from mindspore_lite import _graph
from mindspore_lite.context import Context
from mindspore_lite.tensor import Format, MSTensor, Tensor, TensorMeta, log_error

_on_devices = weakref.WeakSet()


class ModelType(Enum):
    """As the real one."""

    MINDIR = 0
    MINDIR_LITE = 4


def _status(text):
    return f"build_from_file failed! Error is {text}"


class Model:
    """A network of `_graph`."""

    built = resizes = 0  # counted over all models, for the tests

    def __init__(self):
        self.model_path_ = ""
        self._told = None
        self._usable = self._predicted = False
        self._inputs, self._outputs = [], []
        self._mutex = threading.RLock()

    def build_from_file(
        self,
        model_path,
        model_type,
        context=None,
        config_path="",
        config_dict=None,
        dec_key=None,
        dec_mode="AES-GCM",
        dec_num_parallel=0,
    ):
        """Reads the file."""
        for what in ("tbe_and_aicpu", "ascendc"):
            logging.warning("mslite %s custom kernel path not found", what)
        if not isinstance(model_path, str):
            raise TypeError(f"model_path must be str, but got {type(model_path)}.")
        if not isinstance(model_type, ModelType):
            raise TypeError(f"model_type must be ModelType, but got {type(model_type)}.")
        context = Context() if context is None else context
        if not os.path.exists(model_path):  # noqa: PTH110  not FileNotFoundError
            raise RuntimeError("build_from_file failed, model_path does not exist!")
        if self._told is not None:
            raise RuntimeError(_status("Model has been built."))
        told = _graph.read(model_path, lite=model_type is ModelType.MINDIR_LITE)
        if told is None:
            log_error("Build", "The model buffer is invalid and fail to create graph.")
            raise RuntimeError(_status("Common error code."))
        self._check_device(context, told)
        self._behave("build", told)
        self._told, self.model_path_, self.context = told, model_path, context
        self._inputs = _graph.inputs(told)
        self._outputs = _graph.outputs(told, self._inputs)
        self._usable = True
        Model.built += 1

    def _check_device(self, context, told):
        if context.devices[0] != "ascend":
            return
        if context.ascend.device_id >= int(os.environ.get("MINDSPORE_LITE_DOUBLE_DEVICES", "0")):
            log_error("AscendKernelRuntime", f"Call aclrtSetDevice failed, device id {context.ascend.device_id}.")
            raise RuntimeError(_status("Common error code."))
        _on_devices.add(self)

    def _behave(self, step, told):
        if f"{step}_abort" in told:
            log_error(step, "About to abort.")
            os.abort()
        time.sleep(float(told.get(f"{step}_sleep", 0)) / 1000)
        if f"{step}_status" in told or f"{step}_log" in told:
            log_error(step, told.get(f"{step}_log", "The kernel failed."))
            raise RuntimeError(_status("Common error code.") if step == "build" else "predict failed!")

    def get_inputs(self):
        """Tensors that share the model's own."""
        return [Tensor(_graph.twin(tensor)) for tensor in self._inputs]

    def get_outputs(self):
        """What the outputs will be."""
        metas = []
        for tensor in self._outputs:
            meta = TensorMeta()
            meta.name, meta.dtype, meta.shape, meta.format = tensor.name, tensor.dtype, tensor.shape, tensor.format
            metas.append(meta)
        return tuple(metas)

    def get_model_info(self, key):
        """Nothing, as in a device-side build."""
        return ""

    def predict(self, inputs, outputs=None):
        """The outputs, which are the model's own; ``outputs`` are not filled."""
        if not isinstance(inputs, list):
            raise TypeError(f"inputs must be list, but got {type(inputs)}.")
        for i, element in enumerate(inputs):
            if not isinstance(element, Tensor):
                raise TypeError(f"inputs element must be Tensor, but got {type(element)} at index {i}.")
        with self._mutex:
            self._predict([element._tensor for element in inputs])
        time.sleep(0)  # here another thread may have its turn, and overwrite what this one is about to read
        if outputs:
            return outputs
        return [Tensor(tensor) for tensor in self._answers()]

    def _predict(self, given):
        if not self._usable or len(given) != len(self._inputs):
            log_error("Predict", "Wrong input size, or a model of no use.")
            raise RuntimeError("predict failed!")
        for tensor, own in zip(given, self._inputs):
            if tensor.dtype != own.dtype or tensor.buffer().size != own.count:
                log_error("Predict", f"Tensor {own.name} wants {own.count} elements.")
                raise RuntimeError("predict failed!")
        self._behave("predict", self._told)
        first = given[0].buffer()
        if "refuse_value" in self._told and first.size and first[0] == float(self._told["refuse_value"]):
            self._usable = False
            log_error("Run", "The kernel failed.")
            raise RuntimeError("predict failed!")
        if "move_outputs" in self._told:
            for tensor in self._outputs:
                tensor.data = None
        with numpy.errstate(all="ignore"):  # infinite or no numbers: an answer like any other
            _graph.compute(self._told, given, self._inputs, self._outputs)
        self._predicted = True

    def _answers(self):
        answers = []
        for tensor in self._outputs[: int(self._told.get("predicted_count", len(self._outputs)))]:
            name = "renamed" if "rename_outputs" in self._told else tensor.name
            answers.append(MSTensor(name, tensor.dtype, tensor.shape, Format.NCHW, tensor.buffer()))
        return answers

    def resize(self, inputs, dims):
        """Takes sizes of 0; a refusal leaves a model of no use."""
        if len(inputs) != len(dims):
            raise ValueError(
                f"inputs' size does not match dims' size, but got inputs: {len(inputs)}, dims: {len(dims)}."
            )
        refused = int(self._told.get("refuse_size", -1))
        if any(size < 0 or size == refused for shape in dims for size in shape):
            self._usable = False
            log_error("InferShape", "Shape inference failed.")
            raise RuntimeError("resize failed! Error is Common error code.")
        if "resize_lies" not in self._told:
            for own, shape in zip(self._inputs, dims):
                own.shape, own.data = list(shape), None
            self._outputs = _graph.outputs(self._told, self._inputs)
        Model.resizes += 1


@atexit.register
def _finalize():
    """The real one ends the device here; a model that is still on it dies after its device."""
    if _on_devices:
        log_error("AscendFinalize", "A model outlived its device.")
        os.abort()
