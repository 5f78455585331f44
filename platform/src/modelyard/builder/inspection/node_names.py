"""Names of nodes, each once in its graph: runtimes refuse a graph with two nodes of one name.

Exporters leave nodes without any name (paddle, hand-made graphs), or name by source line (jax2tf, keras); what a pass
inserts is named after the node it stands at, so that two nodes without a name, or with one alike, collide only then.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def uniquely_named(model: Any) -> Any:
    """The same onnx.ModelProto in which every node has a name and no other node the same; names that are so stay."""
    taken: set[str] = {node.name for nodes in node_lists(model) for node in nodes if node.name}
    seen: set[str] = set()
    for nodes in node_lists(model):
        for node in nodes:
            if not node.name or node.name in seen:
                node.name = _free(node.name or node.op_type, taken)
            seen.add(node.name)
    return model


def require_valid(path: Path, before: Path | None = None) -> None:
    """Raises ValueError when the ONNX file at `path` is against the format, or names two nodes of a graph alike.

    What the checker refuses in `before` too, the model this one was made of, is not held against it: runtimes take
    more than the checker does.
    """
    import onnx

    words = _against_format(path)
    if words is not None and (before is None or _against_format(before) is None):
        raise ValueError(words)
    for nodes in node_lists(onnx.load(str(path), load_external_data=False)):
        twice = sorted(name for name, count in Counter(node.name for node in nodes if node.name).items() if count > 1)
        if twice:
            raise ValueError(f"two nodes have the name {twice[0]!r}")


def _against_format(path: Path) -> str | None:
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as bad:
        return " ".join(str(bad).split())
    return None


def _free(name: str, taken: set[str]) -> str:
    count = 1
    while f"{name}_{count}" in taken:
        count += 1
    taken.add(f"{name}_{count}")
    return f"{name}_{count}"


def node_lists(model: Any) -> Iterator[Any]:
    """The nodes, a list each, of the main graph, of the graphs inside its nodes, and of local functions."""
    yield from _within(model.graph.node)
    for function in model.functions:
        yield from _within(function.node)


def _within(nodes: Any) -> Iterator[Any]:
    yield nodes
    for node in nodes:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _within(inner.node)
