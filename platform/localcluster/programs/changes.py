"""Files of Go modules that are compiled in another form than the module proxy has them.

A change is a file of a module, a pattern in it and what takes its place; nothing of the module is copied into this
repository. The cache holds a folder of links to the module's files with the changed ones in it, and a go.mod that is
the joint module's and reads the module from there (Go refuses `-overlay` for files of its module cache). A pattern
that matches nothing is an error: another version of the module needs another change.

* Envoy Gateway registers the message types of every Envoy extension, 290 packages that nothing else imports. What
  its own code and our manifests name stays registered, because code imports it or because it is listed here.
* KServe's manager needs of its storage package only the names of the protocols; the clients of three clouds, 330
  packages, belong to its agent, which is not part of this cluster.
* KServe and the API of OpenTelemetry's operator, which it imports, were written for controller-runtime 0.22. Since
  0.23 a webhook is made for a typed object; the untyped validators they use are still taken, by another name.
  Its copy of Kubernetes' PodSpec, which it converts, gets the one field that Kubernetes 1.36 has more.
"""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcluster.cache import digest_of
from localcluster.errors import NotPossible
from localcluster.versions import module

_ignored = shutil.ignore_patterns("*_test.go", "docs", "hack", "install", "python", "site", "test")
_TYPES = "github.com/envoyproxy/go-control-plane/envoy"
_REGISTERED = (
    f"{_TYPES}/extensions/access_loggers/file/v3",
    f"{_TYPES}/extensions/compression/brotli/compressor/v3",
    f"{_TYPES}/extensions/compression/gzip/compressor/v3",
    f"{_TYPES}/extensions/compression/zstd/compressor/v3",
    f"{_TYPES}/extensions/filters/http/compressor/v3",
    f"{_TYPES}/extensions/filters/http/credential_injector/v3",
    f"{_TYPES}/extensions/filters/http/router/v3",
    f"{_TYPES}/extensions/filters/http/upstream_codec/v3",
    f"{_TYPES}/extensions/filters/network/http_connection_manager/v3",
    f"{_TYPES}/extensions/http/injected_credentials/generic/v3",
    f"{_TYPES}/extensions/load_balancing_policies/least_request/v3",
    f"{_TYPES}/extensions/resource_monitors/downstream_connections/v3",
    f"{_TYPES}/extensions/resource_monitors/fixed_heap/v3",
    f"{_TYPES}/extensions/stat_sinks/open_telemetry/v3",
    f"{_TYPES}/extensions/tracers/opentelemetry/resource_detectors/v3",
    f"{_TYPES}/extensions/transport_sockets/tls/v3",
    f"{_TYPES}/extensions/upstreams/http/v3",
)
"""What Envoy Gateway's bootstrap template names."""


@dataclass(frozen=True)
class Change:
    """Replacements (pattern, what takes its place) in one file of module `thing`; none: the file is left out."""

    thing: str
    file: str
    replacements: tuple[tuple[str, str], ...] = ()

    def applied(self, text: str) -> str:
        """The changed text; raises NotPossible when a pattern is not in it."""
        for pattern, replacement in self.replacements:
            text, count = re.subn(pattern, replacement, text)
            if not count:
                raise NotPossible(
                    f"{self.file} of {self.thing} does not hold {pattern!r}: adapt localcluster/programs/changes.py "
                    "to the version in versions.yaml."
                )
        return text


_kept = "|".join(re.escape(name) for name in _REGISTERED)
_TYPED_WEBHOOK = (r"NewWebhookManagedBy\(mgr\)\.\s*For\(([^\n]+)\)\.\n", r"NewWebhookManagedBy(mgr, \1).\n")
_VALIDATOR = (r"\bWithValidator\(", "WithCustomValidator(")
_DEFAULTER = (r"\bWithDefaulter\(", "WithCustomDefaulter(")
_NEWER_FIELD = (
    r"(\n\tHostnameOverride [^\n]+\n)\}",
    r'\1\tSchedulingGroup *corev1.PodSchedulingGroup `json:"schedulingGroup,omitempty"`\n}',
)
CHANGES = (
    Change(
        "envoy-gateway",
        "internal/xds/extensions/extensions.gen.go",
        ((rf'\n\t_ "(?!(?:{_kept})")[^"\n]+"', ""),),
    ),
    *(Change("kserve", f"pkg/agent/storage/{name}.go") for name in ("azure", "gcs", "https", "s3", "utils")),
    Change("kserve", "cmd/manager/main.go", (_TYPED_WEBHOOK, _VALIDATOR, _DEFAULTER)),
    *(
        Change("kserve", f"pkg/apis/serving/{version}/{name}_validation.go", (_TYPED_WEBHOOK, _VALIDATOR))
        for version in ("v1alpha1", "v1alpha2")
        for name in ("llm_inference_service", "llm_inference_service_config")
    ),
    Change("kserve", "pkg/apis/serving/v1beta1/podspec.go", (_NEWER_FIELD,)),
    Change("opentelemetry-operator", "apis/v1beta1/collector_webhook.go", (_TYPED_WEBHOOK, _VALIDATOR, _DEFAULTER)),
)


def digest() -> str:
    """Which changes these are."""
    return digest_of(*(repr(change) for change in CHANGES))


def write(unfinished: Path, folder: Path, joint: Path, source: Callable[[str], Path]) -> None:
    """Write what `folder` will hold to `unfinished`: the changed modules, and the go.mod that reads them from `folder`.

    `joint` is the folder of the joint module, `source` gives that of a module by its name in versions.yaml.
    """
    lines = [(joint / "go.mod").read_text()]
    unfinished.mkdir(parents=True)
    for thing in sorted({change.thing for change in CHANGES}):
        shutil.copytree(source(thing), unfinished / thing, copy_function=os.link, ignore=_ignored)
        lines.append(f"replace {module(thing)[0]} => {folder / thing}\n")
    for change in CHANGES:
        _carry_out(change, unfinished / change.thing / change.file)
    shutil.copy(joint / "go.sum", unfinished)
    (unfinished / "go.mod").write_text("".join(lines))


def _carry_out(change: Change, file: Path) -> None:
    """Change one file; its link is removed first, so the module's own file stays as it is."""
    if not file.exists():
        raise NotPossible(
            f"{change.thing} has no {change.file}: adapt localcluster/programs/changes.py to its version."
        )
    text = file.read_text()
    file.unlink()
    if change.replacements:
        file.write_text(change.applied(text))
