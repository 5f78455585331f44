"""Every reason word in the source, found by reading it, so that the page about them cannot miss one.

A word is a reason where it stands in the place of one: the first argument of a Failure, the second of a
ConditionUpdate, an Event or an Observation, a keyword `reason`, the value of a table called REASONS or FAILURES, the
first of a pair that a generator yields; a name in such a place stands for the module's constant. Classes of our errors
that have no class below them are reasons too (`ModelyardError.reason`), and so is every failed gate.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from modelyard import errors
from modelyard.api.rollout_status import GateName
from modelyard.core.failure_causes import TABLE

PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = {"Failure": 0, "HostFailure": 0, "ConditionUpdate": 1, "Event": 1, "Event.of": 0, "Observation": 1}
_PLACES |= {"AutoscalerChoice": 1, "Complaint": 0}
_TABLES = ("REASONS", "FAILURES")
_GATES = (GateName.ERRORS, GateName.LATENCY, GateName.HEALTH)


@cache
def reason_words(package: Path = PACKAGE) -> frozenset[str]:
    """All reasons that some code below `package` can give, those of errors and gates among them."""
    trees = [ast.parse(path.read_text()) for path in sorted(package.rglob("*.py"))]
    constants = {name: word for tree in trees for name, word in _constants(tree)}
    found = {constants.get(word, word) for tree in trees for word in _words(tree)}
    gates = {f"{gate.capitalize()}GateFailed" for gate in _GATES}
    return frozenset({word for word in found if word[:1].isupper() and word.isalpha()} | gates | _causes() | _errors())


def _causes() -> set[str]:
    return {cause.reason for cause in TABLE}


def _errors() -> set[str]:
    known = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ModelyardError)
    ]
    return {kind.__name__ for kind in known if not kind.__subclasses__() and kind is not errors.HostFailure}


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of a module and the texts they stand for."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for name, text in _pairs(node.targets[0], node.value):
                if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield name.id, text.value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=False)
    else:
        yield target, value


def _words(tree: ast.Module) -> Iterator[str]:
    explanations: dict[str, ast.Tuple] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                yield from _of_call(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)) if name.strip("_") in _TABLES:
                yield from (word for value in values for word in _texts(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple() as value) if value.elts:
                explanations[name] = value
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield):
            named = explanations.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
            if isinstance(named, ast.Tuple):
                yield from _texts(named.elts[0])


def _of_call(call: ast.Call) -> Iterator[str]:
    place = _PLACES.get(_dotted(call.func))
    if place is not None and len(call.args) > place:
        yield from _texts(call.args[place])
    for keyword in call.keywords:
        if keyword.arg == "reason":
            yield from _texts(keyword.value)


def _dotted(function: ast.expr) -> str:
    """`name` or `name.attribute`; anything else that is called is nobody's place."""
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
    return ""


def _texts(value: ast.expr) -> Iterator[str]:
    """A text, the name of a constant, or those on both sides of an `or` or a conditional."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name):
            yield name
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_texts(body), *_texts(orelse))
        case ast.BoolOp(values=values):
            yield from (word for each in values for word in _texts(each))
