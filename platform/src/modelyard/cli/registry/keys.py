"""`modelyard keys`: make a key pair, name it, and sign an entry that is in the registry."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Make the keys that entries are signed with, and sign entries.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _keys() -> None:
    """Make the keys that entries are signed with, and sign entries."""


@app.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="Whose it is or what it is for; NAME.key and NAME.pub are written.")],
    folder: Annotated[Path, typer.Option(help="Where they are written.")] = Path(),
) -> None:
    """Make an Ed25519 key: NAME.key to sign with, for you alone, and NAME.pub for whoever verifies."""
    from modelyard.cli.terminal.console import out
    from modelyard.errors import InvalidKey
    from modelyard.signing.keys import write_pair

    if not name or Path(name).name != name:
        raise InvalidKey(f"{name!r} is not a usable name of a key; give a plain word, and --folder for the place.")
    key, private, public = write_pair(folder, name)
    out().print(f"key {key.public.id}: keep {private} to yourself, give {public} away", markup=False, soft_wrap=True)


@app.command("id")
def show_id(
    path: Annotated[Path, typer.Argument(help="A .pub file, which may hold several keys.")],
) -> None:
    """Print the id of every public key in a file, as signatures and conditions name it."""
    from modelyard.cli.terminal.console import out
    from modelyard.signing.keys import read_public

    for key in read_public(path):
        out().print(key.id)


@app.command("sign")
def sign_entry(
    what: Annotated[str, typer.Argument(metavar="ENTRY", help="digits:1, or digits@champion.")],
    key: Annotated[Path, typer.Option(help="Your private key, NAME.key.")],
    verify: Annotated[
        list[Path] | None, typer.Option("--verify", help="Sign only if one of these public keys has signed before.")
    ] = None,
    commit: Annotated[
        str,
        typer.Option(
            help="Commit of the code that made it.", envvar=["MODELYARD_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"]
        ),
    ] = "",
) -> None:
    """Sign an entry that is in the registry, once its files were seen to be those that were pushed."""
    import tempfile

    from modelyard.cli.connection import entry_called, open_registry
    from modelyard.cli.terminal.console import out
    from modelyard.signing.entry_signature import signature_of, verify_entry
    from modelyard.signing.keys import SigningKey, read_public

    signing, policies = SigningKey.read(key), [read_public(path) for path in verify or ()]
    registry = open_registry()
    entry = entry_called(what)
    if policies:
        any_of_them = tuple(known for policy in policies for known in policy)
        verify_entry(entry, registry.signatures(entry.name, entry.version), [any_of_them])
    with tempfile.TemporaryDirectory(prefix="modelyard-sign-") as scratch:
        registry.fetch(entry, Path(scratch, "entry"))
    registry.sign(entry, signing.public.id, signature_of(entry, signing, commit))
    out().print(f"{entry.name}:{entry.version} is signed by {signing.public.id}", markup=False, soft_wrap=True)
