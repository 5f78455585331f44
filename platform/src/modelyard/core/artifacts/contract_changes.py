"""Whether a version may take another's place without its clients noticing. Pure.

Inputs may only become wider, outputs only narrower (what a function's type may do to be used in another's place).

| what differs | breaks clients |
|---|---|
| an input is gone, or new: a server refuses a request with one too many or too few | yes |
| an output is gone | yes |
| an output is new: nobody asks for it yet | no |
| another datatype, of an input or an output | yes |
| another number of dimensions | yes |
| an input's dimension: fixed -> dynamic | no |
| an input's dimension: dynamic -> fixed, or another fixed size | yes |
| an output's dimension: dynamic -> fixed | no |
| an output's dimension: fixed -> dynamic, or another fixed size | yes |
| the order of inputs or outputs: they have names | no |
| names of classes: others, another order, one more or less, none any more | yes |
| names of classes: some where there were none | no |
| a frequent category of an input that the new version's reference has never seen | yes |
| other categories, a reference where there was none, none where there was one | no |
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from zlib import crc32

from modelyard.api.entry import Tensor
from modelyard.api.lifecycle.contract import CategoryFeature, Contract
from modelyard.core.conditions import ConditionUpdate
from modelyard.core.snapshot import Failure, Snapshot

from .resolved import ResolvedArtifact

CONTRACT_CHANGED = "ContractChanged"
_SHOWN = 4
_REMEDY = (
    "Push a version that keeps what clients rely on, or write source.allowContractChange: true once they are ready "
    "for it"
)


@dataclass(frozen=True)
class ContractChange:
    """One difference: `breaks` says whether clients may notice, `message` what it is."""

    breaks: bool
    message: str


def contract_changes(serving: Contract, new: Contract) -> tuple[ContractChange, ...]:
    """What differs from `serving` to `new`, what breaks clients first."""
    found = (
        *_tensors("input", serving.inputs, new.inputs),
        *_tensors("output", serving.outputs, new.outputs),
        *_labels(serving.labels, new.labels),
        *_categories(serving.categories, new.categories),
    )
    return tuple(sorted(found, key=lambda change: not change.breaks))


def admitted(snapshot: Snapshot, artifact: ResolvedArtifact) -> ResolvedArtifact:
    """The artifact, without its revision where its contract breaks the serving one's, or is not known yet.

    A revision that there is already was admitted when it was begun.
    """
    source, revision, status = snapshot.model.spec.source, artifact.revision, snapshot.model.status
    serving = next((known for known in status.revisions if known.name == status.revision), None)
    if revision is None or serving is None or source.allow_contract_change:
        return artifact
    if revision.digest in {known.digest for known in status.revisions}:
        return artifact
    before, after = (snapshot.contracts.get(digest) for digest in (serving.digest, revision.digest))
    for contract in (before, after):
        if isinstance(contract, Failure):
            unknown = ConditionUpdate(None, contract.reason, contract.message)
            return replace(artifact, built=unknown, revision=None)
    if not isinstance(before, Contract) or not isinstance(after, Contract) or before.entry == after.entry != "":
        return artifact
    breaks = [change.message for change in contract_changes(before, after) if change.breaks]
    if not breaks:
        return artifact
    message = (
        f"Version {revision.version} is not begun, because clients of version {serving.version} would notice: "
        f"{_shown(breaks)}. {_REMEDY}."
    )
    return replace(artifact, built=ConditionUpdate(False, CONTRACT_CHANGED, message), revision=None, stalled=True)


def _shown(breaks: Sequence[str]) -> str:
    more = f"; and {len(breaks) - _SHOWN} more" if len(breaks) > _SHOWN else ""
    return "; ".join(breaks[:_SHOWN]) + more


def _tensors(
    kind: Literal["input", "output"], serving: Sequence[Tensor], new: Sequence[Tensor]
) -> Iterator[ContractChange]:
    before, after = ({tensor.name: tensor for tensor in tensors} for tensors in (serving, new))
    for name in sorted(before.keys() - after.keys()):
        yield ContractChange(True, f"{kind} {name} is gone")
    for name in sorted(after.keys() - before.keys()):
        yield ContractChange(kind == "input", f"{kind} {name} is new")
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        if was.datatype != now.datatype:
            yield ContractChange(True, f"{kind} {name} was {was.datatype} and is {now.datatype}")
        if was.shape != now.shape:
            wide, narrow = (now, was) if kind == "input" else (was, now)
            breaks = not _within(narrow.shape, wide.shape)
            yield ContractChange(breaks, f"{kind} {name} had the shape {list(was.shape)} and has {list(now.shape)}")


def _within(narrow: Sequence[int], wide: Sequence[int]) -> bool:
    """Whether every tensor of the one shape has the other, too; -1 is any size."""
    return len(narrow) == len(wide) and all(most in (-1, size) for size, most in zip(narrow, wide, strict=True))


def _labels(serving: tuple[str, ...], new: tuple[str, ...]) -> Iterator[ContractChange]:
    if serving == new:
        return
    if not serving:
        yield ContractChange(False, f"classes have names: {_listed(new)}")
    elif not new:
        yield ContractChange(True, f"classes have no names any more; they were {_listed(serving)}")
    else:
        yield ContractChange(True, f"the classes were {_listed(serving)} and are {_listed(new)}")


def _categories(serving: Sequence[CategoryFeature], new: Sequence[CategoryFeature]) -> Iterator[ContractChange]:
    after = {feature.name: feature for feature in new}
    for feature in serving:
        now = after.get(feature.name)
        lost = [] if now is None else [name for name in feature.frequent if crc32(name.encode()) not in now.seen]
        if lost:
            yield ContractChange(True, f"input {feature.name} knows {_listed(lost)} no more")
        elif now is not None and now.seen != feature.seen:
            yield ContractChange(False, f"input {feature.name} has other rare categories")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:40] for name in names[:_SHOWN]) + more
