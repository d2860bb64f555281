"""No MindSpore Lite: the tests' double of it. See the folder above."""

import os
import sys

from mindspore_lite import _check_ascend
from mindspore_lite.context import Context
from mindspore_lite.model import Model, ModelType
from mindspore_lite.tensor import DataType, Format, Tensor, TensorMeta
from mindspore_lite.version import __version__

__all__ = ["Context", "DataType", "Format", "Model", "ModelType", "Tensor", "TensorMeta", "__version__"]

if "mindspore" in sys.modules:
    raise ImportError("libmindspore_converter.so: undefined symbol: _ZN9mindspore")
if os.environ.get("MINDSPORE_LITE_DOUBLE_BROKEN"):
    raise ImportError("numpy.core.multiarray failed to import")
_check_ascend.check()
if int(os.environ.get("GLOG_v", "2")) <= 2:  # noqa: SIM112
    os.write(2, b"[WARNING] LITE(1,double,double): [double.cc:1] Init] chatter of the library\n")
