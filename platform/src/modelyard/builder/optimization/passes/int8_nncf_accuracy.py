"""`int8-nncf-accuracy`: int8 until the evaluation set objects, then the guilty layers go back to fp32.

NNCF quantizes everything, measures the entry's own metric, and when more is lost than `max_loss` (a share of the
original's quality) ranks the layers by the damage they do and restores the worst, one by one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.metrics import LOWER_IS_BETTER, quality, scale
from modelyard.builder.inspection import onnx_io
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Precision
from modelyard.errors import InvalidInput, UnsupportedModel

from . import calibration, conditions
from .int8_nncf import finished
from .int8_static import against_quantization
from .nncf_library import SPACE, nncf, settings
from .rewrite import Rewrite

_EVERYTHING = {"rows": 1 << 30, "seed": 1, "calibration": None}


class Int8NncfAccuracy(Rewrite):
    """Static quantization that keeps a promise about quality."""

    def applies(self, artifact: ModelArtifact, hardware: Hardware, evaluation: EvaluationData | None) -> str | None:
        """Float models with products, an evaluation set and outputs to judge by."""
        if evaluation is not None and not evaluation.outputs:
            return "it needs expected outputs to judge by; add output arrays to eval.npz."
        return conditions.against_packages("nncf") or against_quantization(artifact, evaluation)

    def run(
        self, artifact: ModelArtifact, folder: Path, params: Mapping[str, Any], evaluation: EvaluationData | None
    ) -> ModelArtifact:
        """The model, as much of it in int8 as its quality allows."""
        settled = self.settled(params)
        if evaluation is None:
            raise InvalidInput("there is nothing to judge the model by; add an eval.npz with outputs.")
        model = onnx_io.without_weight_shapes(onnx_io.read(artifact.path))
        judge = _Judge(model, artifact.path, evaluation)
        feeds = calibration.feeds(model, artifact.path, evaluation, settled)
        original, _ = judge(model, range(len(judge.feeds)))
        with onnx_io.quietly(folder):
            module = nncf(settled["seed"])
            shared = settings(module, feeds, settled, onnx_io.attends(model))
            quantized = module.quantize_with_accuracy_control(
                model,
                advanced_quantization_parameters=shared.pop("advanced_parameters"),
                validation_dataset=module.Dataset(range(len(judge.feeds)), judge.feeds.__getitem__),
                validation_fn=judge,
                max_drop=settled["max_loss"] * scale(evaluation, original),
                drop_type=module.DropType.ABSOLUTE,
                **shared,
            )
        if "QuantizeLinear" not in onnx_io.operators(quantized):
            raise UnsupportedModel(
                f"every layer in int8 costs more than {settled['max_loss']:.1%} of the quality; it stays in fp32."
            )
        return self.made(artifact, onnx_io.write(finished(quantized), folder))


class _Judge:
    """Scores a model for NNCF, larger is better.

    For all samples: the evaluation's metric (negative for errors). For some of them, by which NNCF ranks layers, and
    for each alone: how near the answers are to the expected ones.
    """

    def __init__(self, model: Any, path: Path, evaluation: EvaluationData) -> None:
        self.feeds = calibration.feeds(model, path, evaluation, _EVERYTHING)
        self.evaluation = evaluation

    def __call__(self, model: Any, indices: Iterable[int]) -> tuple[float, list[float]]:
        """The score of the ModelProto for the samples with these indices, and the score of each."""
        import numpy as np
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 4
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names, numbers = list(self.evaluation.outputs), list(indices)
        answers: list[Any] = [session.run(names, self.feeds[number]) for number in numbers]
        outputs = {name: np.concatenate([answer[place] for answer in answers]) for place, name in enumerate(names)}
        each = self._nearness(outputs, numbers)
        if len(numbers) < len(self.feeds):
            return float(np.mean(each)), each
        value = quality(self.evaluation, outputs)
        return (-value if self.evaluation.metric in LOWER_IS_BETTER else value), each

    def _nearness(self, outputs: Mapping[str, Any], numbers: list[int]) -> list[float]:
        """Minus the mean squared difference a sample, as a share of the expected answer's square."""
        import numpy as np

        total = np.zeros(len(numbers))
        rows = len(next(iter(outputs.values()))) // len(numbers)
        for name, output in outputs.items():
            chosen = [number * rows + row for number in numbers for row in range(rows)]
            expected = np.asarray(self.evaluation.outputs[name][chosen], np.float64).reshape(len(numbers), -1)
            apart = np.square(np.asarray(output, np.float64).reshape(len(numbers), -1) - expected).mean(axis=1)
            total -= apart / np.maximum(np.square(expected).mean(axis=1), 1e-12)
        return total.tolist()


INT8_NNCF_ACCURACY = Int8NncfAccuracy(
    name="int8-nncf-accuracy",
    precision=Precision.INT8,
    needs_data=True,
    space={"max_loss": (0.01,), **SPACE},
)
