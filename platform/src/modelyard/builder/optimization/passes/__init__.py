"""Passes: one rewrite of a model a file, all of the same interface (`pass_api.Pass`).

    structure, the same answers      fold, fuse, ort-graph, openvino
    half the bits                    fp16, bf16, openvino-fp16
    integers, calibrated             int8-static, int8-nncf, int8-nncf-accuracy, openvino-int8
    integers, no data needed         int8-dynamic, int8-weights, int4-weights
    one GPU's own                    tensorrt, tensorrt-int8

    rewrite          what every pass says about itself; its parameters, settled
    conditions       reasons why a pass does not apply
    calibration      real inputs, checked and drawn with a seed
    quantized_graph  rewrites that make quantized graphs fast

Libraries are imported inside `run`, so looking at the passes costs nothing.
"""

from collections.abc import Mapping

from modelyard.builder.optimization.pass_api import Pass

from .bf16 import BF16
from .fold import FOLD
from .fp16 import FP16
from .fuse import FUSE
from .int8_dynamic import INT8_DYNAMIC
from .int8_nncf import INT8_NNCF
from .int8_nncf_accuracy import INT8_NNCF_ACCURACY
from .int8_static import INT8_STATIC
from .openvino_ir import OPENVINO, OPENVINO_FP16, OPENVINO_INT8
from .ort_graph import ORT_GRAPH
from .tensorrt_engine import TENSORRT, TENSORRT_INT8
from .weights import INT4_WEIGHTS, INT8_WEIGHTS

_ALL: tuple[Pass, ...] = (
    FOLD,
    FUSE,
    ORT_GRAPH,
    FP16,
    BF16,
    INT8_DYNAMIC,
    INT8_STATIC,
    INT8_NNCF,
    INT8_NNCF_ACCURACY,
    INT8_WEIGHTS,
    INT4_WEIGHTS,
    OPENVINO,
    OPENVINO_FP16,
    OPENVINO_INT8,
    TENSORRT,
    TENSORRT_INT8,
)
PASSES: Mapping[str, Pass] = {rewrite.name: rewrite for rewrite in _ALL}
