"""A status that another version of the platform wrote, as far as this one understands it.

An operator or a command line that is older than the status must live with it: what it does not know is left out,
so that the Model goes on with the rest, and nothing of it is a reason to refuse the Model.

| stored | read as |
|---|---|
| a field that is not known, at any depth | not there |
| a text or a list that is longer than this version writes it | its beginning |
| a value that is not known (a new verdict, a new outcome) of a field that need not be there | not there |
| the same of a field that must be there | its whole item, such as one gate or one record, is not there |
| a phase that is not known | no rollout is under way: who is stable, what was refused and told, and the history stay |

Revisions are the exception: what holds traffic is never forgotten, so one that cannot be read is an error.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .status import ModelStatus

Path = tuple[str | int, ...]
_KEPT = frozenset({"stable", "rejected", "rejectedBuild", "command", "handledCommands", "history"})
_LONG = {"string_too_long", "too_long"}


def readable(stored: Any) -> Any:
    """A stored status as this version reads it: a `ModelStatus`; `stored` is never changed.

    What cannot be read at all comes back as it is, so that validating it says what is wrong.
    """
    values, before = stored, None
    while values != before:
        try:
            return ModelStatus.model_validate(values)
        except ValidationError as error:
            before = values
            for path, limit in _problems(error):
                values = _without(values, path, limit)
    return stored


def _problems(error: ValidationError) -> list[tuple[Path, int | None]]:
    """What to leave out or to cut, once each: inner parts before outer ones, the end of a list before its beginning."""
    problems = reversed(error.errors(include_url=False, include_input=False))
    places = dict.fromkeys((_part(problem), _limit(problem)) for problem in problems)
    return sorted(places, key=lambda place: -len(place[0]))


def without_unknown(shape: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `values` without the fields that a closed type does not have, at any depth."""
    try:
        shape.model_validate(values)
    except ValidationError as error:
        unknown = [problem["loc"] for problem in error.errors() if problem["type"] == "extra_forbidden"]
        rest: Any = values
        for path in reversed(unknown):
            rest = _removed(rest, path)
        return dict(rest)
    return dict(values)


def _limit(problem: Any) -> int | None:
    """How long the text or list may be whose length is the problem; None when it is another problem."""
    return problem["ctx"]["max_length"] if problem["type"] in _LONG else None


def _without(values: Any, path: Path, limit: int | None) -> Any:
    """The status without the problem at `path`."""
    if path[:1] == ("revisions",):
        return values
    if limit is not None:
        return _changed(values, path, lambda long: long[:limit])
    if path[:2] == ("rollout", "phase"):
        return _changed(values, ("rollout",), lambda old: {key: old[key] for key in _KEPT & old.keys()})
    return _removed(values, path)


def _part(problem: Any) -> Path:
    """What is to be cut when it is too long, else the innermost part of the status around it that need not be there."""
    path: Path = problem["loc"]
    if _limit(problem) is not None:
        return path
    shape: Any = ModelStatus
    kept = path[:1]
    for depth, key in enumerate(path):
        if isinstance(key, int):
            kept = path[: depth + 1]
            continue
        field = next(field for name, field in shape.model_fields.items() if key in (field.alias, name))
        if not field.is_required():
            kept = path[: depth + 1]
        shape = _shape_in(field.annotation)
        if shape is None and depth + 1 < len(path) and isinstance(path[depth + 1], int):
            return path[: depth + 2]
        if shape is None:
            return kept
    return kept


def _shape_in(annotation: Any) -> type[BaseModel] | None:
    """The type of a field's value, or of the items of its list, when that is one of ours."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _changed(values: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """A copy with the value at `path` changed."""
    if not path:
        return change(values)
    copied: Any = dict(values) if isinstance(values, Mapping) else list(values)
    copied[path[0]] = _changed(values[path[0]], path[1:], change)
    return copied


def _removed(values: Any, path: Path) -> Any:
    """A copy without what is at `path`."""

    def removed(parent: Any) -> Any:
        copied: Any = dict(parent) if isinstance(parent, Mapping) else list(parent)
        del copied[path[-1]]
        return copied

    return _changed(values, path[:-1], removed)
