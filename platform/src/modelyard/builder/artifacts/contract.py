"""What clients of a model rely on, read from its files as a build would read it."""

from modelyard.api.lifecycle.contract import Contract
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.builder.evaluation.evaluation_set import read_evaluation
from modelyard.builder.evaluation.reference_profile import read_profile, rows_of_evaluation
from modelyard.builder.triton.config import served
from modelyard.errors import InvalidInput

from .source import ModelSource


def contract_of(source: ModelSource) -> Contract:
    """The contract of a model file or an entry; raises InvalidEntry when its eval.npz or profile.json is none."""
    metadata = source.metadata
    contract = Contract(
        entry=source.digest(),
        inputs=tuple(served(port, batchable=False) for port in source.graph.inputs),
        outputs=tuple(served(port, batchable=False) for port in source.graph.outputs),
        labels=metadata.labels if metadata is not None else (),
    )
    return contract.with_profile(_profile(source, len(contract.labels)))


def _profile(source: ModelSource, labels: int) -> ReferenceProfile | None:
    if source.profile is not None:
        return read_profile(source.profile)
    if source.evaluation is None:
        return None
    try:
        evaluation = read_evaluation(source.evaluation, source.graph)
        return rows_of_evaluation(evaluation, source.graph, labels, source.name).profile()
    except InvalidInput:
        return None
