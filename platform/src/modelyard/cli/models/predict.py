"""`modelyard predict NAME --input FILE`: one inference, over HTTP or gRPC, by way of the gateway.

The model's own metadata say which inputs it takes; values are cast to them. With `--url` any server of the
Open Inference Protocol v2 is asked directly, such as one started by `modelyard serve`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from modelyard.api.quantity import shown as figure
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.gateway_address import reached
from modelyard.clients.inference.parts import predict_rows
from modelyard.clients.inference.predictions import Endpoint, Prediction, connect, datatype, silence
from modelyard.core.names import host
from modelyard.settings import Settings

from .input_files.reader import read

if TYPE_CHECKING:
    import numpy as np

_ROWS = 20
_VALUES = 8
_CLASSES = range(2, 1001)


def predict(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    file: Annotated[
        Path, typer.Option("--input", "-i", help="A .json, .npz, .npy or .csv file with the input values.")
    ],
    namespace: Namespace = "",
    grpc: Annotated[bool, typer.Option("--grpc", help="Ask over gRPC instead of HTTP.")] = False,
    revision: Annotated[str, typer.Option(help="Ask this revision only, whatever traffic it gets.")] = "",
    first: Annotated[int | None, typer.Option(min=1, help="Send only so many rows of the file.")] = None,
    url: Annotated[str, typer.Option(help="Ask this server directly, such as http://127.0.0.1:8080.")] = "",
    output: Shown = Output.TABLE,
) -> None:
    """Send one inference to a Model and print its outputs."""
    with endpoint(name, namespace, revision, url) as asked:
        connection = connect(asked, grpc=grpc)
        try:
            result = predict_rows(connection, read(file, connection.describe(), first))
        finally:
            connection.close()
    console = out()
    if output is Output.TABLE:
        console.print(shown(result))
        if result.revision:
            console.print(f"answered by revision {result.revision}", style="dim", highlight=False)
    else:
        dump(plain(name, result), output)


@contextmanager
def endpoint(name: str, namespace: str, revision: str, url: str) -> Iterator[Endpoint]:
    """Where to ask, as long as the context lasts: the server at `url`, or the gateway with the Model's host.

    Pinned to `revision` unless that is empty. The namespace of the kubeconfig's context stands in for an empty one.
    Raises Unreachable when no address of the gateway answers from here.
    """
    if url:
        yield Endpoint(url if "://" in url else f"http://{url}", name, revision=revision)
        return
    with reached(Settings.read(), lambda: Cluster(access()), silence) as gateway:
        published = host(name, namespace or current_namespace(), gateway.domain)
        yield Endpoint(gateway.url, name, published, revision)


def plain(name: str, result: Prediction) -> dict[str, Any]:
    """The answer as data: outputs with datatype, shape and nested values."""
    outputs = [
        {
            "name": called,
            "datatype": datatype(array),
            "shape": list(array.shape),
            "data": _texts(array).tolist(),
        }
        for called, array in result.outputs.items()
    ]
    return {"model": name, "revision": result.revision, "outputs": outputs}


def shown(result: Prediction) -> Table:
    """One line a row and output; for a row of scores also which is the largest."""
    rows = []
    for name, array in result.outputs.items():
        lines = array if array.ndim else array[None]
        for position, row in enumerate(lines[:_ROWS]):
            rows.append((name, str(position), _values(row), _largest(row)))
        if len(lines) > _ROWS:
            rows.append((name, "…", f"and {len(lines) - _ROWS} rows more; --output json has all", ""))
    return table(("output", "row", "values", "largest"), rows)


def _texts(array: "np.ndarray") -> "np.ndarray":
    """Bytes as text, everything else as it is."""
    import numpy as np

    if array.dtype.kind not in "OS":
        return array
    decoded = [
        item.decode(errors="replace") if isinstance(item, bytes) else item for item in array.reshape(-1).tolist()
    ]
    return np.array(decoded, dtype=object).reshape(array.shape)


def _values(row: Any) -> str:
    import numpy as np

    flat = _texts(np.asarray(row)).reshape(-1)
    words = [figure(value) if flat.dtype.kind == "f" else str(value) for value in flat[:_VALUES]]
    return " ".join(words) + (f" … ({flat.size} in all)" if flat.size > _VALUES else "")


def _largest(row: Any) -> str:
    import numpy as np

    scores = np.asarray(row)
    if scores.ndim != 1 or scores.dtype.kind != "f" or scores.size not in _CLASSES:
        return ""
    return str(int(scores.argmax()))
