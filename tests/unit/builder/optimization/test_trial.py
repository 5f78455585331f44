"""A single trial: the process that makes a variant has the limits of the hardware the variant is made for."""

from pathlib import Path

from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.optimization.baseline import read_baseline
from modelyard.builder.optimization.pass_api import Hardware, Recipe
from modelyard.builder.optimization.trials.trial import Bench, Trial, recipe_of_original, run_trial
from tests.unit.builder.optimization import classifier, tiny_passes

TOO_LITTLE = 1 << 20


def refusal(folder: Path, gpu: str | None) -> str:
    """Why a recipe is refused whose processes may have one MiB each."""
    baseline = read_baseline(classifier.an_entry(folder), folder / "scratch", 60)
    bench = Bench(
        baseline=baseline,
        hardware=Hardware(1, frozenset(), gpu),
        evaluation=None,
        inputs=write_arrays(baseline.arrays("input"), folder / "inputs.npz"),
        bound=0.01,
        seed=1,
        passes=tiny_passes.WHERE,
        runtimes=("onnxruntime",),
        scratch=folder / "variants",
        memory=TOO_LITTLE,
    )
    name = next(iter(tiny_passes.PASSES))
    return run_trial(bench, Recipe(name, ((name, {}),)), Trial(recipe_of_original()), 60).refused or ""


def test_on_a_cpu_a_variant_that_needs_more_memory_is_not_made(tmp_path: Path) -> None:
    assert refusal(tmp_path, gpu=None).startswith("while it was made, it ")


def test_for_a_gpu_it_is_made_without_a_limit_that_would_stop_cuda(tmp_path: Path) -> None:
    assert "does not run it on the GPU" in refusal(tmp_path, gpu="NVIDIA H200")  # made, and asked without a GPU
