"""Everybody has a certificate of the cluster's authority, and nobody else can read the keys."""

import base64
import stat
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from localcluster.identity import identities, kubeconfig
from localcluster.identity.certificates import authority, client, server, stored
from localcluster.node.members import FIRST, members
from localcluster.node.network import API, KUBERNETES_SERVICE, NODE_ADDRESS


def names(certificate: x509.Certificate) -> list[str]:
    extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert isinstance(extension, x509.SubjectAlternativeName)
    return [str(name.value) for name in extension]


def subject(certificate: x509.Certificate) -> tuple[str, ...]:
    wanted = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    return tuple(str(one.value) for oid in wanted for one in certificate.subject.get_attributes_for_oid(oid))


def test_a_client_certificate_names_user_and_group_and_is_signed_by_the_authority():
    root = authority("root")
    pair = client(root, "system:node:n1", "system:nodes")
    assert subject(pair.certificate) == ("system:node:n1", "system:nodes")
    pair.certificate.verify_directly_issued_by(root.certificate)


def test_a_serving_certificate_holds_names_and_addresses():
    pair = server(authority("root"), "api", ["localhost", "10.250.0.2"])
    assert names(pair.certificate) == ["localhost", "10.250.0.2"]


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path):
    files = stored(tmp_path, "ca", authority("root"))
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_kubeconfig_verifies_the_server_and_holds_no_token():
    root = authority("root")
    content = yaml.safe_load(kubeconfig.content(API, root.certificate_pem, client(root, "me")))
    cluster = content["clusters"][0]["cluster"]
    assert cluster["server"] == API
    assert cluster["certificate-authority-data"]
    assert "insecure-skip-tls-verify" not in cluster
    assert set(content["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}


def test_a_cluster_s_identities_are_made_once_and_fit_its_addresses(tmp_path: Path):
    folder, administrator = tmp_path / "certificates", tmp_path / "kubeconfig"
    identities.ensure(folder, administrator)
    before = (folder / "ca.crt").read_bytes()
    administrator.unlink()
    identities.ensure(folder, administrator)
    assert (folder / "ca.crt").read_bytes() == before
    assert stat.S_IMODE(administrator.stat().st_mode) == 0o600

    api = x509.load_pem_x509_certificate((folder / "apiserver.crt").read_bytes())
    assert {NODE_ADDRESS, KUBERNETES_SERVICE, "kubernetes.default.svc"} <= set(names(api))
    kubelet = yaml.safe_load((folder / "kubelet.kubeconfig").read_text())
    assert kubelet["clusters"][0]["cluster"]["server"] == API
    front = x509.load_pem_x509_certificate((folder / "front-proxy-client.crt").read_bytes())
    assert subject(front) == ("front-proxy-client",)
    node = x509.load_pem_x509_certificate((folder / "kubelet.crt").read_bytes())
    assert FIRST.name in names(node)


def test_every_kubelet_is_its_own_node_and_no_other(tmp_path: Path):
    folder = tmp_path / "certificates"
    identities.ensure(folder, tmp_path / "kubeconfig", nodes=3)

    for member in members(3):
        serving = x509.load_pem_x509_certificate((folder / f"{member.kubelet_identity}.crt").read_bytes())
        assert {member.name, member.address} <= set(names(serving))
        config = yaml.safe_load((folder / f"{member.kubelet_identity}.kubeconfig").read_text())
        pem = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
        assert f"system:node:{member.name}" in subject(x509.load_pem_x509_certificate(pem))
