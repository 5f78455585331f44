"""The program that checks a build in the pod that serves it: what it runs, what it refuses, and how it says so."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.signing import verified_start
from modelyard.signing.envelope import sealed
from modelyard.signing.keys import SigningKey
from modelyard.signing.verified_start import KIND, PROVENANCE, REFUSED, Refusal, check, key_id, signed_with
from tests.support.signing.signed import BUILD, FILES, a_repository

BUILDER, STRANGER = SigningKey.new(), SigningKey.new()
PROGRAM = Path(verified_start.__file__).read_text()
KEYS = [BUILDER.public.raw]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "models", BUILDER)


def test_a_build_that_is_what_was_signed_is_served(repository: Path) -> None:
    assert check(repository, BUILD, [STRANGER.public.raw, *KEYS]) == BUILDER.public.id


def test_openssl_and_our_library_agree_on_keys_and_signatures() -> None:
    signature = BUILDER.sign(b"message")

    assert key_id(BUILDER.public.raw) == BUILDER.public.id
    assert signed_with(BUILDER.public.raw, b"message", signature)
    assert not signed_with(BUILDER.public.raw, b"massage", signature)
    assert not signed_with(STRANGER.public.raw, b"message", signature)
    assert not signed_with(BUILDER.public.raw, b"message", b"short")


def test_a_key_that_is_none_is_openssls_to_refuse() -> None:
    with pytest.raises(OSError, match="Ed25519"):
        signed_with(b"short", b"message", b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _restate(change: Callable[[dict], None]) -> Callable[[Path], None]:
    """The statement changed, and the old signature kept."""

    def changed(folder: Path) -> None:
        envelope = json.loads((folder / PROVENANCE).read_bytes())
        statement = json.loads(base64.b64decode(envelope["payload"]))
        change(statement)
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
        (folder / PROVENANCE).write_text(json.dumps(envelope))

    return changed


def _linked(folder: Path) -> None:
    """The model is a link to the very same bytes, which could be others a moment later."""
    model = folder / "digits" / "1" / "model.onnx"
    model.rename(folder.parent / "model.onnx")
    model.symlink_to(folder.parent / "model.onnx")


def _nothing_stated(folder: Path) -> None:
    (folder / PROVENANCE).write_bytes(sealed(KIND, {}, {}, BUILDER))


TAMPERED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "one bit of the model": (lambda f: flip(f / "digits/1/model.onnx"), "SignatureInvalid", "digits/1/model.onnx is"),
    "config.pbtxt": (lambda f: flip(f / "digits/config.pbtxt"), "SignatureInvalid", "digits/config.pbtxt is not"),
    "a link": (_linked, "SignatureInvalid", "digits/1/model.onnx is no part"),
    "a folder that is a link": (lambda f: (f / "z").symlink_to(f), "SignatureInvalid", "z is no part"),
    "a file more": (lambda f: (f / "digits/1/model.py").write_text(""), "SignatureInvalid", "digits/1/model.py is no"),
    "a model more": (lambda f: (f / "z").mkdir() or (f / "z/config.pbtxt").write_text(""), "SignatureInvalid", "z/c"),
    "a file less": (lambda f: (f / "digits/config.pbtxt").unlink(), "SignatureInvalid", "config.pbtxt is missing"),
    "no signature": (lambda f: (f / PROVENANCE).unlink(), "SignatureMissing", PROVENANCE),
    "one bit of the signature": (lambda f: flip(f / PROVENANCE), "SignatureInvalid", PROVENANCE),
    "a damaged signature": (lambda f: (f / PROVENANCE).write_text("[]"), "SignatureInvalid", "is damaged"),
    "one nested without end": (
        lambda f: (f / PROVENANCE).write_text("[" * 100_000),
        "SignatureInvalid",
        "is damaged",
    ),
    "a key's id that is none": (
        lambda f: (f / PROVENANCE).write_text(
            json.dumps({"payload": "e30=", "signatures": [{"keyid": [], "sig": ""}]})
        ),
        "SignatureInvalid",
        "whom this pod does not trust",
    ),
    "what is stated": (_restate(lambda s: s["subject"].clear()), "SignatureInvalid", f"{PROVENANCE} is not what"),
    "a stranger's": (lambda f: a_repository(f, STRANGER), "SignatureInvalid", "whom this pod does not trust"),
    "another build": (lambda f: a_repository(f, BUILDER, FILES, "sha256:" + "c" * 64), "SignatureInvalid", "another"),
    "another kind": (
        lambda f: (f / PROVENANCE).write_bytes(sealed(KIND, {}, {}, BUILDER)),
        "SignatureInvalid",
        "nothi",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_was_changed_is_refused_with_the_files_name(repository: Path, how: str) -> None:
    tamper, reason, words = TAMPERED[how]
    tamper(repository)

    with pytest.raises(Refusal, match=words) as refused:
        check(repository, BUILD, KEYS)
    assert refused.value.reason == reason
    assert f"delete builds/{BUILD[7:]}/" in str(refused.value)


def started(repository: Path, *server: str, keys: str = BUILDER.public.text) -> subprocess.CompletedProcess[str]:
    """The program as a container starts it: its text, with nothing of ours importable."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "MODELYARD_BUILD": BUILD,
        "MODELYARD_BUILD_KEYS": keys,
        "MODELYARD_REPOSITORY": str(repository),
        "MODELYARD_TERMINATION_LOG": str(repository.parent / "termination"),
    }
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, *server]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_server_takes_the_programs_place_with_its_arguments(repository: Path) -> None:
    ran = started(repository, "sh", "-c", 'echo "$0 $1 $$"', "serves", "--port=1")

    assert ran.stdout.startswith("serves --port=1 ")
    assert f"every file is what {BUILDER.public.id} signed" in ran.stderr
    assert ran.returncode == 0


def test_a_refused_build_starts_no_server_and_leaves_its_words_where_the_operator_reads_them(repository: Path) -> None:
    flip(repository / "digits/config.pbtxt")

    ran = started(repository, "sh", "-c", "echo served")

    said = json.loads((repository.parent / "termination").read_text())
    assert (ran.returncode, ran.stdout) == (REFUSED, "")
    assert said["reason"] == "SignatureInvalid"
    assert said["message"].startswith("digits/config.pbtxt is not what")
    assert ran.stderr.strip() == said["message"]


def test_without_a_place_for_last_words_stderr_has_them(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / PROVENANCE).unlink()
    monkeypatch.setenv("MODELYARD_BUILD", BUILD)
    monkeypatch.setenv("MODELYARD_BUILD_KEYS", BUILDER.public.text)
    monkeypatch.setenv("MODELYARD_REPOSITORY", str(repository))
    monkeypatch.setenv("MODELYARD_TERMINATION_LOG", str(repository / "no" / "folder"))

    assert verified_start.main(["never"]) == REFUSED
    assert "this build is not signed" in capsys.readouterr().err


def test_the_server_is_started_in_this_process(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setenv("MODELYARD_BUILD", BUILD)
    monkeypatch.setenv("MODELYARD_BUILD_KEYS", BUILDER.public.text)
    monkeypatch.setenv("MODELYARD_REPOSITORY", str(repository))
    monkeypatch.setattr(verified_start.os, "execvp", lambda file, words: became.append(words))

    verified_start.main(["tritonserver", "--model-repository=/mnt/models"])
    assert became == [["tritonserver", "--model-repository=/mnt/models"]]


def test_where_there_is_no_openssl_nothing_is_served(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_start, "_LIBRARIES", ("libnothing.so.0",))

    with pytest.raises(OSError, match="no OpenSSL"):
        check(repository, BUILD, KEYS)


def test_the_programs_text_holds_nothing_that_kserve_or_kubernetes_would_replace() -> None:
    assert "{{" not in PROGRAM
    assert "$(" not in PROGRAM
    assert len(PROGRAM) < 100_000
