"""Keys and certificates: one authority for the cluster, one for the front proxy, short EC keys, ten years."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_TEN_YEARS = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)


@dataclass(frozen=True)
class Files:
    """A pair on disk: NAME.crt and NAME.key."""

    certificate: Path
    key: Path


def authority(name: str) -> Pair:
    """A self-signed certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _started(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def client(by: Pair, name: str, group: str = "") -> Pair:
    """A client certificate; Kubernetes reads the user from `name` and the group from `group`."""
    return _leaf(by, name, group, ExtendedKeyUsageOID.CLIENT_AUTH, ())


def server(by: Pair, name: str, hosts: Sequence[str]) -> Pair:
    """A serving certificate for DNS names and IP addresses."""
    return _leaf(by, name, "", ExtendedKeyUsageOID.SERVER_AUTH, hosts)


def _leaf(by: Pair, name: str, group: str, usage: x509.ObjectIdentifier, hosts: Sequence[str]) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    builder = _started(x509.Name(parts), by.certificate.subject, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), False)
    return Pair(builder.sign(by.key, hashes.SHA256()), key)


def _started(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _TEN_YEARS)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def stored(folder: Path, name: str, pair: Pair) -> Files:
    """Write a pair as NAME.crt and NAME.key (0600)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(folder / f"{name}.crt", folder / f"{name}.key")
    files.certificate.write_bytes(pair.certificate_pem)
    write_private(files.key, pair.key_pem)
    return files


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_bytes(content)
