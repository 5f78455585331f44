"""How this process reaches the API server: the pod's service account, else a kubeconfig file.

The file is `$KUBECONFIG`, else the nearest `.modelyard/kubeconfig` upward from the working directory (the
local cluster writes it), else `~/.kube/config`. A service account's token is read again before it expires.
"""

import os
from pathlib import Path

from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from modelyard.errors import InvalidSettings, ModelyardError


def kubeconfig_file() -> Path | None:
    """The kubeconfig in force, or None when there is none."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    if named:
        return Path(named)
    here = Path.cwd()
    nearby = [folder / ".modelyard" / "kubeconfig" for folder in (here, *here.parents)]
    return next((path for path in [*nearby, Path.home() / ".kube" / "config"] if path.is_file()), None)


def access(kubeconfig: Path | None = None) -> Configuration:
    """Host, certificates and credentials for the API server, from `kubeconfig` when it is given.

    Raises InvalidSettings when there are none, or none that can be used.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            load_incluster_config(client_configuration=configuration)
            return configuration
        path = kubeconfig or kubeconfig_file()
        if path is None:
            raise InvalidSettings("no cluster is known here: set KUBECONFIG, or start one with `make cluster`.")
        load_kube_config(config_file=str(path), client_configuration=configuration)
    except ModelyardError:
        raise
    except Exception as bad:  # the client takes the file's structure for granted
        said = (
            " ".join(str(bad).split()) if isinstance(bad, ConfigException | OSError) else f"{type(bad).__name__} {bad}"
        )
        raise InvalidSettings(f"the cluster's access data cannot be used: {said}; correct KUBECONFIG.") from bad
    return configuration
