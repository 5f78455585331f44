"""`modelyard serve`: the five-minute start. Builds, proves and serves on this machine; no cluster, no root."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.options import Sample, TrustCode, TrustPickle

if TYPE_CHECKING:
    from modelyard.builder.artifacts.assemble import Artifact
    from modelyard.builder.triton.server import TritonServer

_INLINE = 2000


def serve(
    path: Annotated[Path, typer.Argument(help="Entry folder, .onnx, .xml (OpenVINO) or .joblib, Triton repository.")],
    name: Annotated[str | None, typer.Option(help="Name the model is served under.")] = None,
    http_port: Annotated[int, typer.Option(help="Port for HTTP; 0 takes a free one.")] = 8000,
    grpc_port: Annotated[int, typer.Option(help="Port for gRPC; 0 takes a free one.")] = 8001,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    trust_code: TrustCode = False,
) -> None:
    """Build and serve a model on this machine, until Ctrl-C."""
    from modelyard.api.report import BuildSource
    from modelyard.builder.artifacts.assemble import LOG, REPOSITORY, AssemblyRequest, ProgressSteps
    from modelyard.builder.artifacts.assemble import build as build_artifact
    from modelyard.builder.artifacts.staging import Naming, staged_source
    from modelyard.builder.python_models.packing import PYTHON
    from modelyard.builder.triton.install import triton_home
    from modelyard.builder.triton.server import running
    from modelyard.cli.terminal.console import say
    from modelyard.core.names import build_digest

    from .build import model_name, show

    with tempfile.TemporaryDirectory(prefix="modelyard-serve-") as scratch:
        naming = Naming(trust_pickle=trust_pickle, sample=sample, say=say, trust_code=trust_code)
        source = staged_source(path, Path(scratch), naming)
        home = triton_home(say, PYTHON if source.is_python else None)
        model, digest = model_name(name, source.name), source.digest()
        reported = BuildSource(kind=source.kind, name=source.name, digest=digest)
        request = AssemblyRequest(model, build_digest(digest, model, {}), reported, trusted=trust_code)
        steps = ProgressSteps(say)
        artifact = build_artifact(source, request, Path(scratch, "out"), steps)
        show(artifact.report)

        def served() -> None:
            repository, log = artifact.folder / REPOSITORY, artifact.folder / LOG
            with running(home, repository, model, log, http_port, grpc_port) as server:
                _announce(server, artifact)
                _until_interrupted(server)

        steps.attempts.of(served)


def _announce(server: "TritonServer", artifact: "Artifact") -> None:
    from modelyard.cli.terminal.console import out

    console, model, body = out(), artifact.report.model, artifact.warmup
    url = f"{server.url}/v2/models/{model}/infer"
    short = body.header_length is None and len(body.content) <= _INLINE and b"'" not in body.content
    data = f"-d '{body.content.decode()}'" if short else f"--data-binary @{artifact.folder / 'warmup.json'}"
    extra = "".join(f" -H '{key}: {value}'" for key, value in body.headers.items() if body.header_length is not None)
    console.print(f"\nserving {model}: HTTP {server.url}, gRPC 127.0.0.1:{server.grpc_port}", markup=False)
    console.print("ask it:", markup=False)
    console.print(f"  curl -s {url}{extra} {data}", markup=False, soft_wrap=True, highlight=False)
    console.print("Ctrl-C ends it.", markup=False)


def _until_interrupted(server: "TritonServer") -> None:
    from modelyard.builder.triton.server import ended
    from modelyard.cli.terminal.console import say

    try:
        while server.process.poll() is None:
            time.sleep(0.3)
    except KeyboardInterrupt:
        say("stopping")
        return
    gone = ended(server)
    assert gone is not None, "its process was seen to have ended"
    raise gone
