"""`modelyard verify`."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelyard.cli.terminal.console import Output

if TYPE_CHECKING:
    from modelyard.signing.keys import PublicKey

_BUILD = "sha256:"


def verify(
    what: Annotated[
        str, typer.Argument(metavar="ENTRY|BUILD", help="digits:1, digits@champion, or sha256:... of a signed build.")
    ],
    key: Annotated[list[Path], typer.Option("--key", help="Public keys, .pub, of which one has to have signed.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """Check that an entry or a build in the store is, to the bit, what somebody you trust has signed."""
    from modelyard.cli.terminal.console import dump, out
    from modelyard.signing.keys import read_public

    keys = tuple(dict.fromkeys(known for path in key for known in read_public(path)))
    result = _build(what, keys) if what.startswith(_BUILD) else _entry(what, keys)
    if output is not Output.TABLE:
        dump(result, output)
        return
    more = "".join(f", {word} {result[word]}" for word in ("commit", "time", "builder") if result.get(word))
    line = f"{result['name']} is what {result['key']} signed: {result['files']} files{more}"
    out().print(line, markup=False, soft_wrap=True)


def _entry(what: str, keys: tuple["PublicKey", ...]) -> dict[str, Any]:
    from modelyard.cli.connection import entry_called, open_registry
    from modelyard.cli.terminal.console import moving
    from modelyard.registry.signed_entries import fetch_signed
    from modelyard.signing.entry_signature import verify_entry

    registry = open_registry()
    entry = entry_called(what)
    (signer,) = verify_entry(entry, registry.signatures(entry.name, entry.version), [keys])
    with (
        tempfile.TemporaryDirectory(prefix="modelyard-verify-") as scratch,
        moving(f"verifying {entry.name}:{entry.version}", entry.size) as progress,
    ):
        fetch_signed(registry, entry, Path(scratch, "entry"), progress)
    return {
        "name": f"{entry.name}:{entry.version}",
        "digest": entry.digest,
        "key": signer.key.id,
        "commit": signer.commit,
        "time": signer.time,
        "files": len(entry.files),
    }


def _build(digest: str, keys: tuple["PublicKey", ...]) -> dict[str, Any]:
    """The same of a build: its files are downloaded as a pod gets them, and checked as the pod checks them."""
    from modelyard.cli.connection import open_store
    from modelyard.core.storage.keys import build_repository, is_safe_path
    from modelyard.errors import SignatureInvalid, SignatureMissing
    from modelyard.signing.build_provenance import PROVENANCE_KIND
    from modelyard.signing.envelope import opened
    from modelyard.signing.verified_start import PROVENANCE, Refusal, check

    store, prefix = open_store(), build_repository(digest)
    with tempfile.TemporaryDirectory(prefix="modelyard-verify-") as scratch:
        for stored in store.list(prefix):
            name = stored.key.removeprefix(prefix)
            if not is_safe_path(name):
                raise SignatureInvalid(f"{stored.key} is no name of a file of a build; delete it.")
            target = Path(scratch, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            store.download(stored.key, target)
        try:
            signer = check(Path(scratch), digest, [key.raw for key in keys])
        except Refusal as refused:
            kind = SignatureMissing if refused.reason == SignatureMissing.__name__ else SignatureInvalid
            raise kind(str(refused)) from refused
        statement = opened(Path(scratch, PROVENANCE).read_bytes(), keys, PROVENANCE_KIND, PROVENANCE)
    made = statement.statement["predicate"]
    asked, ran = made["buildDefinition"]["externalParameters"], made["runDetails"]
    commits = made["buildDefinition"]["resolvedDependencies"][0]["annotations"]["commits"]
    return {
        "name": f"the build of {asked['entry']} for {asked['model']}",
        "digest": digest,
        "key": signer,
        "commit": " ".join(commits),
        "time": ran["metadata"]["finishedOn"],
        "builder": ran["builder"]["id"],
        "options": asked["options"],
        "files": len(statement.files),
    }
