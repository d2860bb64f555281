"""Contexts: ordinary attributes beside properties, so that a misspelt name is taken and does nothing."""

import os

ASCEND_MODES = ("enforce_fp32", "preferred_fp32", "enforce_fp16", "enforce_origin", "preferred_optimal")


def _typed(name, value, kind):
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, but got {type(value)}.")
    return value


def _natural(name, value):
    if _typed(name, value, int) < 0:
        raise ValueError(f"{name} must be a non-negative int.")
    return value


def _mode(name, value, modes):
    if _typed(name, value, str) not in modes:
        raise ValueError(f"{name} must be in {list(modes)}, but got {value}.")
    return value


def _property(name, check, *more):
    def read(self):
        return self._values[name]

    def write(self, value):
        self._values[name] = check(name, value, *more)

    return property(read, write)


class _CPU:
    """The processor. Affinity modes and cores are not compared with what there is."""

    def __init__(self):
        self._values = {
            "thread_num": 0,
            "inter_op_parallel_num": 0,
            "thread_affinity_mode": 0,
            "thread_affinity_core_list": [],
            "precision_mode": "enforce_fp32",
        }

    inter_op_parallel_num = _property("inter_op_parallel_num", _natural)
    thread_affinity_mode = _property("thread_affinity_mode", _typed, int)
    thread_affinity_core_list = _property("thread_affinity_core_list", _typed, list)
    precision_mode = _property("precision_mode", _mode, ("preferred_fp16", "enforce_fp32"))
    if not os.environ.get("MINDSPORE_LITE_DOUBLE_RENAMED"):
        thread_num = _property("thread_num", _natural)


class _Ascend:
    """An Ascend device. Any provider is taken."""

    def __init__(self):
        self._values = {"device_id": 0, "rank_id": 0, "provider": "", "precision_mode": "enforce_fp16"}

    device_id = _property("device_id", _natural)
    rank_id = _property("rank_id", _natural)
    provider = _property("provider", _typed, str)
    precision_mode = _property("precision_mode", _mode, ASCEND_MODES)


class Context:
    """Where to run. Without ``parallel``, as in a build without server inference."""

    def __init__(self):
        self.cpu = _CPU()
        self.gpu = object()
        self.ascend = _Ascend()
        self.devices = []
        self.target = ["cpu"]

    @property
    def target(self):
        """The names of the devices."""
        return self._target

    @target.setter
    def target(self, target):
        for name in _typed("target", target or ["cpu"], list):
            if _typed("target element", name, str).lower() not in ("cpu", "gpu", "ascend"):
                raise ValueError(f"target elements must be in ['cpu', 'gpu', 'ascend'], but got {name.lower()}.")
        self._target = target or ["cpu"]
        # A processor to fall back on.
        self.devices = [name.lower() for name in self._target] + (["cpu"] if self._target != ["cpu"] else [])
