"""Kubeconfig files: a verified server and a client certificate, everything inside one file."""

import base64
from pathlib import Path

import yaml

from .certificates import Pair, write_private

NAME = "modelyard-local"


def content(server: str, authority_pem: bytes, user: Pair) -> str:
    """A kubeconfig for `server`, trusted through `authority_pem`, as the user of a client certificate."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": NAME, "cluster": {"server": server, "certificate-authority-data": _text(authority_pem)}}
            ],
            "users": [
                {
                    "name": NAME,
                    "user": {
                        "client-certificate-data": _text(user.certificate_pem),
                        "client-key-data": _text(user.key_pem),
                    },
                }
            ],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
        },
        sort_keys=False,
    )


def write(file: Path, server: str, authority_pem: bytes, user: Pair) -> Path:
    """Write a kubeconfig that only its owner may read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, content(server, authority_pem, user).encode())
    return file


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
