"""A private CA and certificates for this machine: `python -m ovis.wire.certificates --dir DIR`.

    ca-key.pem     ca.pem        the authority, valid 10 years
    node-key.pem   node.pem      the agent: server, and client towards other nodes (urn:ovis:access:peer)
    admin-key.pem  admin.pem     the local administrator: client (urn:ovis:access:administer)

Keys are P-256 and readable by their owner only. The node's certificate names localhost, the host name and the addresses
given. What exists and is still good (fits its key, signed by the CA, names all that is asked for, a third of its life
left) is kept; the rest is made anew, so it may be run at every start. A CA which does not fit its key is an error:
replacing it would cut off every certificate it has signed. Files get the owner of what they replace, or of the folder.
"""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ovis.wire.identity import ACCESS_URN
from ovis.wire.service import Access
from ovis.wire.tls import TlsFiles
from ovis.wire.validity import renewal_time

_CA_DAYS = 3650
_DAYS = 825  # the longest that all TLS clients accept
_SKEW = datetime.timedelta(hours=1)  # clocks of hosts differ


class CertificateProblem(Exception):
    """The files in the folder cannot be used and must not be replaced."""


@dataclass(frozen=True, slots=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate must say."""

    common_name: str
    access: Access
    names: tuple[x509.GeneralName, ...] = ()
    server: bool = False

    @property
    def alternatives(self) -> list[x509.GeneralName]:
        return [*self.names, x509.UniformResourceIdentifier(ACCESS_URN + self.access)]


@dataclass(frozen=True, slots=True)
class MadeFiles:
    node: TlsFiles
    admin: TlsFiles


def ensure(folder: Path, *, names: Iterable[str] = (), host_name: str | None = None) -> MadeFiles:
    """Make in `folder` what is missing or no longer good. Raises CertificateProblem, OSError."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    host_name = host_name or socket.gethostname()
    authority = _ensure_authority(folder, host_name)
    everything = dict.fromkeys(["localhost", host_name, "127.0.0.1", "::1", *names])
    node = Wanted(host_name, Access.PEER, tuple(general_name(name) for name in everything), server=True)
    _ensure_certificate(folder, "node", node, authority)
    _ensure_certificate(folder, "admin", Wanted("administrator", Access.ADMINISTER), authority)
    return MadeFiles(_files(folder, "node"), _files(folder, "admin"))


def _files(folder: Path, name: str) -> TlsFiles:
    return TlsFiles(str(folder / f"{name}-key.pem"), str(folder / f"{name}.pem"), str(folder / "ca.pem"))


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


# -- the authority


def _ensure_authority(folder: Path, host_name: str) -> Authority:
    key = read_key(folder / "ca-key.pem")
    certificate = read_certificate(folder / "ca.pem")
    if key is not None and certificate is not None:
        if certificate.public_key() != key.public_key():
            raise CertificateProblem(f"ca.pem and ca-key.pem in {folder} do not belong together")
        return Authority(key, certificate)
    if certificate is not None:
        raise CertificateProblem(f"{folder} has a ca.pem without ca-key.pem: sign node and admin where the key is")
    key = key or ec.generate_private_key(ec.SECP256R1())
    certificate = sign_authority(key, distinguished_name(f"Ovis CA of {host_name}"[:64]), _now())
    write_key(folder / "ca-key.pem", key)
    write(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return Authority(key, certificate)


def sign_authority(key: ec.EllipticCurvePrivateKey, name: x509.Name, now: datetime.datetime) -> x509.Certificate:
    return (
        _builder(name, name, key.public_key(), _CA_DAYS, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


# -- the certificates


def _ensure_certificate(folder: Path, name: str, wanted: Wanted, authority: Authority) -> None:
    key_path, path = folder / f"{name}-key.pem", folder / f"{name}.pem"
    key, certificate = read_key(key_path), read_certificate(path)
    if key is not None and certificate is not None and _is_good(certificate, key, wanted, authority):
        return
    if key is None:
        key = ec.generate_private_key(ec.SECP256R1())
        write_key(key_path, key)
    write(path, sign(key, wanted, authority, _now()).public_bytes(serialization.Encoding.PEM), 0o644)


def sign(
    key: ec.EllipticCurvePrivateKey, wanted: Wanted, authority: Authority, now: datetime.datetime
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if wanted.server:
        usages.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    issuer = authority.certificate
    return (
        _builder(distinguished_name(wanted.common_name[:64]), issuer.subject, key.public_key(), _DAYS, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(wanted.alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _is_good(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, wanted: Wanted, authority: Authority
) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return (
        certificate.public_key() == key.public_key()
        and _now() < renewal_time(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
        and set(wanted.alternatives) <= set(named)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int, now: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def distinguished_name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ovis"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# -- files


def read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise CertificateProblem(f"{path} is no private key without password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateProblem(f"{path} was not made here (no elliptic curve key); it is left alone")
    return key


def read_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CertificateProblem(f"{path} is no certificate") from error


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write(path, text, 0o600)


def write(path: Path, text: bytes, mode: int) -> None:
    """Whole or not at all, with its mode from the first moment, and still there after a power cut."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            if os.geteuid() == 0:  # the agent is somebody else, and reads and renews them
                owner = (path if path.exists() else path.parent).stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a private CA and certificates for this machine.")
    parser.add_argument("--dir", type=Path, required=True, help="where the files are kept")
    parser.add_argument("--name", action="append", default=[], help="further host name or address (repeatable)")
    options = parser.parse_args()
    try:
        made = ensure(options.dir, names=options.name)
    except (CertificateProblem, OSError) as error:
        raise SystemExit(f"ovis certificates: {error}") from error
    print(f"agent:         {made.node.certificate}")
    print(f"administrator: {made.admin.certificate}")
    print(f"authority:     {made.node.ca}")


if __name__ == "__main__":
    main()
