"""`int8-nncf-accuracy`: int8 until the evaluation set objects, then the guilty layers go back to fp32.

NNCF quantizes everything, measures the entry's own metric, and when more is lost than `max_loss` (a share of the
original's quality) ranks the layers by the damage they do and restores the worst, one by one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelyard.build.optimize.material import Evaluation, Hardware, Material, Precision
from modelyard.build.optimize.quality import LOWER_IS_BETTER, quality, scale
from modelyard.errors import InvalidInput

from . import calibration, conditions, onnx_file
from .int8_nncf import finished
from .int8_static import against_quantization
from .nncf_library import nncf, settings
from .rewrite import Rewrite

_EVERYTHING = {"rows": 1 << 30, "seed": 1, "calibration": None}


class Int8NncfAccuracy(Rewrite):
    """Static quantization that keeps a promise about quality."""

    def applies(self, material: Material, hardware: Hardware, evaluation: Evaluation | None) -> str | None:
        """Float models with products, an evaluation set and outputs to judge by."""
        if evaluation is not None and not evaluation.outputs:
            return "it needs expected outputs to judge by; add output arrays to eval.npz."
        return conditions.against_packages("nncf") or against_quantization(material, evaluation)

    def run(
        self, material: Material, folder: Path, params: Mapping[str, Any], evaluation: Evaluation | None
    ) -> Material:
        """The model, as much of it in int8 as its quality allows."""
        settled = self.settled(params)
        if evaluation is None:
            raise InvalidInput("there is nothing to judge the model by; add an eval.npz with outputs.")
        model = onnx_file.without_weight_shapes(onnx_file.read(material))
        judge = _Judge(model, material.path, evaluation)
        feeds = calibration.feeds(model, material.path, evaluation, settled)
        original, _ = judge(model, range(len(judge.feeds)))
        with onnx_file.quietly(folder):
            module = nncf(settled["seed"])
            quantized = module.quantize_with_accuracy_control(
                model,
                validation_dataset=module.Dataset(range(len(judge.feeds)), judge.feeds.__getitem__),
                validation_fn=judge,
                max_drop=settled["max_loss"] * scale(evaluation, original),
                drop_type=module.DropType.ABSOLUTE,
                **settings(module, feeds, onnx_file.attends(model)),
            )
        return self.made(material, onnx_file.write(finished(quantized), folder))


class _Judge:
    """The evaluation's metric, larger is better, for NNCF: called with a model and the numbers of samples."""

    def __init__(self, model: Any, path: Path, evaluation: Evaluation) -> None:
        self.feeds = calibration.feeds(model, path, evaluation, _EVERYTHING)
        self.names = [value.name for value in model.graph.output]
        self.evaluation = evaluation

    def __call__(self, model: Any, indices: Iterable[int]) -> tuple[float, list[list[Any]]]:
        """The metric on these samples, and every sample's outputs, by which NNCF ranks layers."""
        import numpy as np
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 4
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        numbers = list(indices)
        answers: list[Any] = [session.run(self.names, self.feeds[index]) for index in numbers]
        outputs = {name: np.concatenate([one[i] for one in answers]) for i, name in enumerate(self.names)}
        value = quality(self._part(numbers), outputs)
        return (-value if self.evaluation.metric in LOWER_IS_BETTER else value), answers

    def _part(self, numbers: list[int]) -> Evaluation:
        """The evaluation of these samples alone."""
        whole = self.evaluation
        if len(numbers) == len(self.feeds):
            return whole
        outputs = {name: values[numbers] for name, values in whole.outputs.items()}
        labels = None if whole.labels is None else whole.labels[numbers]
        return Evaluation(whole.inputs, outputs, labels, whole.metric)


INT8_NNCF_ACCURACY = Int8NncfAccuracy(
    name="int8-nncf-accuracy",
    precision=Precision.INT8,
    needs_data=True,
    space={"max_loss": (0.01,), **calibration.SPACE},
)
