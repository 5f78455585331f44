"""Who is who in the cluster: every certificate, key and kubeconfig, made once for the life of a cluster."""

import functools
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from localcluster.node.components import serving_hosts
from localcluster.node.members import members
from localcluster.node.network import API

from . import kubeconfig
from .certificates import Pair, authority, client, private_pem, server, stored, write_private

ADMINISTRATORS = "system:masters"
_COMPLETE = "complete"


def ensure_basic(folder: Path, address: str, hosts: Sequence[str], users: dict[str, tuple[str, str]]) -> None:
    """Authority, serving certificate, service account keys and one kubeconfig a user (name -> user, group)."""
    if (folder / _COMPLETE).exists():
        return
    root = _basic(folder, address, hosts, users)
    assert root.certificate
    (folder / _COMPLETE).touch()


def ensure(folder: Path, administrator: Path, nodes: int = 1) -> None:
    """Everything a cluster of so many nodes needs, and the administrator's kubeconfig outside of `folder`."""
    if not (folder / _COMPLETE).exists():
        users = {
            "administrator": ("modelyard-administrator", ADMINISTRATORS),
            "controller-manager": ("system:kube-controller-manager", ""),
            "scheduler": ("system:kube-scheduler", ""),
            **{each.kubelet_identity: (f"system:node:{each.name}", "system:nodes") for each in members(nodes)},
            "kube-proxy": ("system:kube-proxy", ""),
        }
        root = _basic(folder, API, serving_hosts(), users)
        stored(folder, "kubelet-client", client(root, "kube-apiserver-kubelet-client", ADMINISTRATORS))
        for each in members(nodes):
            stored(folder, each.kubelet_identity, server(root, each.name, [each.name, each.address, "127.0.0.1"]))
        front = authority("modelyard-front-proxy")
        stored(folder, "front-proxy-ca", front)
        stored(folder, "front-proxy-client", client(front, "front-proxy-client"))
        (folder / _COMPLETE).touch()
    write_private(administrator, (folder / "administrator.kubeconfig").read_bytes())


def _basic(folder: Path, address: str, hosts: Sequence[str], users: dict[str, tuple[str, str]]) -> Pair:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    root = authority("modelyard-local")
    stored(folder, "ca", root)
    stored(folder, "apiserver", server(root, "kube-apiserver", hosts))
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(folder / "service-accounts.key", private_pem(key))
    (folder / "service-accounts.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    write = functools.partial(kubeconfig.write, server=address, authority_pem=root.certificate_pem)
    for name, (user, group) in users.items():
        write(folder / f"{name}.kubeconfig", user=client(root, user, group))
    return root
