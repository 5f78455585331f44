"""OpenVINO, without its reports to the makers.

Importing it writes a client id into the home directory and, unless somebody opted out, reports uses over the
network. Both OpenVINO and NNCF do without when the package that reports cannot be imported: it is hidden first.
"""

import sys
from typing import Any

_REPORTER = "openvino_telemetry"


def hide_reporter() -> None:
    """Makes the package that reports uses impossible to import; call it before the first import of openvino or nncf."""
    sys.modules[_REPORTER] = None  # type: ignore[assignment]


def openvino() -> Any:
    """The module `openvino`; raises ImportError when it is not installed."""
    hide_reporter()
    import openvino as module

    return module
