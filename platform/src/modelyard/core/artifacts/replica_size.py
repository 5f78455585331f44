"""The size of a replica that costs least: what an optimization for the goal cost found, where the spec leaves it open.

While the build's report cannot be read, a revision of it keeps the size it has: what is not known restarts nothing.
"""

from modelyard.api.model import Model, Resources
from modelyard.api.report import OptimizationSummary
from modelyard.core.snapshot import OptimizedBuild


def cheapest_size(model: Model, digest: str, optimization: OptimizedBuild) -> Model:
    """The Model with the cores in its `serving.resources.requests` that were cheapest for the build `digest`.

    It stays as it is when the spec names cores itself, asks for another goal, or nothing keeps the objective.
    """
    spec = model.spec
    own = spec.serving.resources or Resources()
    requests, limits = own.requests or {}, own.limits or {}
    if spec.optimize is None or spec.optimize.goal != "cost" or "cpu" in requests or "cpu" in limits:
        return model
    cores = _cores(model, digest, optimization)
    if not cores:
        return model
    sized = own.model_copy(update={"requests": {**requests, "cpu": cores}})
    serving = spec.serving.model_copy(update={"resources": sized})
    return model.model_copy(update={"spec": spec.model_copy(update={"serving": serving})})


def _cores(model: Model, digest: str, optimization: OptimizedBuild) -> str:
    """What was found, or what a revision of the build has; empty where there is neither."""
    built = optimization.built
    if isinstance(built, OptimizationSummary):
        return str(built.tuned.cpus) if built.tuned is not None and built.tuned.requests_per_second else ""
    sizes = [(each.resources or {}).get("requests", {}) for each in model.status.revisions if each.digest == digest]
    return next((str(size["cpu"]) for size in sizes if "cpu" in size), "")
