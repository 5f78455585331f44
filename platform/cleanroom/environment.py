"""The environment of a machine on which nobody installed anything: `python3 -m cleanroom.environment COMMAND...`.

The command gets the system's folders as its PATH, and of this environment only where packages are had: certificates,
proxies, indexes. Nothing but Python's own library is needed here; `.ci/run` starts with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
PROXIES = tuple(
    variant for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for variant in (name, name.upper())
)
INDEXES = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL",
    "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "NPM_CONFIG_REGISTRY", "npm_config_registry",
)  # fmt: skip


def bare(given: Mapping[str, str], **more: str) -> dict[str, str]:
    """An environment with nothing of `given` but where packages are had, and with `more`."""
    passed = {name: given[name] for name in (*CERTIFICATES, *PROXIES, *INDEXES) if given.get(name)}
    return {"PATH": PATH, "LANG": "C.UTF-8", **passed, **more}


def main() -> None:
    """Become the command, with this HOME and cache folder so that what was downloaded once is not again."""
    kept = {name: os.environ[name] for name in ("HOME", "TERM", "MODELYARD_CACHE") if os.environ.get(name)}
    os.environ["PATH"] = PATH
    os.execvpe(sys.argv[1], sys.argv[1:], bare(os.environ, CI="true", **kept))  # noqa: S606 - becoming it is the point


if __name__ == "__main__":
    main()
