"""`modelyard data`: recorded requests of a Model."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.terminal.options import Namespace
from modelyard.errors import InvalidInput

from .recorder_key import recorder_key

app = typer.Typer(
    help="Recorded requests of a Model: export them, delete those of a person.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Model = Annotated[str, typer.Argument(help="Name of the Model.")]


@app.callback()
def _data() -> None:
    """Recorded requests of a Model: export them, delete those of a person."""


@app.command("export")
def export(
    name: Model,
    to: Annotated[Path, typer.Option("--to", help="The .parquet file that is written.")],
    namespace: Namespace = "",
    days: Annotated[int, typer.Option(min=1, help="How many days back, today included.")] = 7,
) -> None:
    """Write the recorded rows of the last days into one Parquet file."""
    from modelyard.cli.connection import open_store
    from modelyard.cli.terminal.console import out
    from modelyard.records.parquet import to_parquet
    from modelyard.records.recorded import files_of, read_rows

    if to.suffix != ".parquet":
        raise InvalidInput(f"{to} would be a Parquet file: give it a name that ends with .parquet.")
    if to.exists():
        raise InvalidInput(f"{to} is there already: give another name, or remove it.")
    store, where = open_store(), _namespace(namespace)
    first = datetime.now(UTC).date() - timedelta(days=days - 1)
    keys = list(files_of(store, where, name, first.isoformat()))
    if not keys:
        raise InvalidInput(
            f"there are no recorded rows of {where}/{name} in the last {days} days: rows come with "
            "spec.monitoring.sample and .log, a minute after the requests."
        )
    columns = read_rows(store, keys)
    to.write_bytes(to_parquet(columns))
    rows = len(next(iter(columns.values())))
    out().print(f"{rows} rows of {len(keys)} files are in {to}", markup=False, soft_wrap=True)


@app.command("delete")
def delete(
    name: Model,
    namespace: Namespace = "",
    request_id: Annotated[str, typer.Option(help="The rows of this request (x-request-id).")] = "",
    column_value: Annotated[
        str, typer.Option(metavar="COLUMN=VALUE", help="The rows with this value, also where only its hash is kept.")
    ] = "",
) -> None:
    """Delete recorded rows and labels of one request or one person, and leave a tombstone that says how many."""
    from modelyard.cli.connection import open_store
    from modelyard.cli.terminal.console import out
    from modelyard.recorder.redaction import hashes_of_text
    from modelyard.records.recorded import delete_rows, files_of, of_request, of_value, refuse_unknown_column

    column, equals, value = column_value.partition("=")
    if bool(request_id) == bool(column_value):
        raise InvalidInput("say whose rows: --request-id ID or --column-value COLUMN=VALUE, one of both.")
    if column_value and not (column and equals):
        raise InvalidInput(f"{column_value} names no value: write COLUMN=VALUE, such as customer=4711.")
    store, where = open_store(), _namespace(namespace)
    if request_id:
        meant, asked_by = of_request(request_id), "request id"
    else:
        refuse_unknown_column(store, list(files_of(store, where, name)), column)
        hidden = hashes_of_text(value, recorder_key(where, name))
        meant, asked_by = of_value(column, value, hidden), f"value of {column}"
    deleted = delete_rows(store, where, name, meant, asked_by, datetime.now(UTC))
    labels = f" and {deleted.labels} labels" if deleted.labels else ""
    told = f"deleted {deleted.rows} rows{labels} in {deleted.files} files"
    told = told if deleted.rows or deleted.labels else "there are no such rows"
    out().print(f"{told}; {deleted.remaining} files had none of them", markup=False, soft_wrap=True)
    out().print("What came in the last two minutes may not be written yet: run this again then.", markup=False)


def _namespace(given: str) -> str:
    from modelyard.clients.cluster.context import current_namespace

    return given or current_namespace()
