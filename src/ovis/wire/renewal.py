"""Certificates made again in time, or late, by the authority in the same folder; names, access and keys stay.

    certificate of   renewed when
    the authority    two thirds of its 10 years are gone. Key and name stay: whoever trusts the former
                     certificate goes on trusting what is signed, and has 3 years to take the new one
    node, admin      two thirds of their 825 days are gone, they have expired, or are not valid yet though the
                     authority is (they were made while the clock was wrong)

Before the authority's own begin the clock is taken to be wrong, and nothing is made.

A host whose authority is elsewhere (ca-key.pem is not here) can be given one of its own: it then trusts the former one
as well, and those who shall reach it must trust the new one. Each function may be repeated, also after it was killed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ovis.wire import certificates
from ovis.wire.certificates import Authority, CertificateProblem, Wanted, general_name
from ovis.wire.identity import ACCESS_URN
from ovis.wire.service import Access
from ovis.wire.validity import renewal_time

LEAVES = ("node", "admin")
_PEM = serialization.Encoding.PEM


class NoAuthority(CertificateProblem):
    """The key that signs is not on this host."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} has no ca-key.pem: its certificates are signed elsewhere")


class State(StrEnum):
    GOOD = "good"
    DUE = "due"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    STRANGE = "not signed by this authority"
    MISMATCH = "does not belong to its key"


@dataclass(frozen=True, slots=True)
class Status:
    path: Path
    subject: str
    names: tuple[str, ...]
    begin: datetime.datetime
    end: datetime.datetime
    renewal: datetime.datetime
    state: State


def status(folder: Path, now: datetime.datetime) -> list[Status]:
    """Of what is there. Raises CertificateProblem, OSError."""
    authority = certificates.read_certificate(folder / "ca.pem")
    found = []
    for name in ("ca", *LEAVES):
        path = folder / f"{name}.pem"
        certificate = certificates.read_certificate(path)
        if certificate is not None:
            state = _state(certificate, authority, _key(folder / f"{name}-key.pem"), now)
            begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            subject = certificate.subject.rfc4514_string()
            found.append(Status(path, subject, _names(certificate), begin, end, renewal_time(begin, end), state))
    return found


def renew(folder: Path, now: datetime.datetime, *, everything: bool = False, names: Iterable[str] = ()) -> list[Path]:
    """Make again what is due, or node's and administrator's in any case. Returns what was written.

    `names` are host names and addresses that the node's certificate shall have besides those that it has.

    Raises NoAuthority, CertificateProblem, OSError.
    """
    authority = _authority(folder)
    if now < authority.certificate.not_valid_before_utc and not everything:
        return []
    written = []
    if now >= _renewal(authority.certificate):
        authority = _renew_authority(folder, authority, now)
        written.append(folder / "ca.pem")
    for name in LEAVES:
        path = folder / f"{name}.pem"
        former = certificates.read_certificate(path)
        key = certificates.read_key(folder / f"{name}-key.pem")
        if former is None or key is None:
            continue  # of an administrator who took it elsewhere; the node's own: certificates.ensure
        wanted = _as_before(former)
        fresh = [general_name(n) for n in names if name == "node" and general_name(n) not in wanted.names]
        is_wanted = _state(former, authority.certificate, key, now) is not State.GOOD
        if is_wanted or fresh or everything:
            wanted = replace(wanted, names=(*wanted.names, *fresh))
            signed = certificates.sign(key, wanted, authority, now)
            certificates.write(path, signed.public_bytes(_PEM), 0o644)
            written.append(path)
    return written


def take_own_authority(folder: Path, host_name: str, now: datetime.datetime) -> None:
    """Make an authority here, trusted beside the former one. What is there already is kept. Raises OSError."""
    path = folder / "ca.pem"
    key = certificates.read_key(folder / "ca-key.pem")
    former = certificates.read_certificate(path)
    if key is not None and former is not None and former.public_key() == key.public_key():
        return
    if key is None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificates.write_key(folder / "ca-key.pem", key)
    own = certificates.sign_authority(key, certificates.distinguished_name(f"Ovis CA of {host_name}"[:64]), now)
    rest = path.read_bytes() if former is not None else b""
    certificates.write(path, own.public_bytes(_PEM) + rest, 0o644)


def _authority(folder: Path) -> Authority:
    key = certificates.read_key(folder / "ca-key.pem")
    certificate = certificates.read_certificate(folder / "ca.pem")
    if key is None:
        raise NoAuthority(folder)
    if certificate is None:
        raise CertificateProblem(f"{folder} has no ca.pem")
    if certificate.public_key() != key.public_key():
        raise CertificateProblem(f"ca.pem and ca-key.pem in {folder} do not belong together")
    return Authority(key, certificate)


def _renew_authority(folder: Path, authority: Authority, now: datetime.datetime) -> Authority:
    fresh = certificates.sign_authority(authority.key, authority.certificate.subject, now)
    path = folder / "ca.pem"
    others = x509.load_pem_x509_certificates(path.read_bytes())[1:]  # also trusted
    text = b"".join(certificate.public_bytes(_PEM) for certificate in (fresh, *others))
    certificates.write(path, text, 0o644)
    return replace(authority, certificate=fresh)


def _as_before(certificate: x509.Certificate) -> Wanted:
    """What the former certificate says, whoever signed it."""
    names = _alternatives(certificate)
    access = Access.PEER
    others = []
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith(ACCESS_URN):
            access = Access(name.value.removeprefix(ACCESS_URN))
        else:
            others.append(name)
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_server = ExtendedKeyUsageOID.SERVER_AUTH in usages
    except x509.ExtensionNotFound:
        is_server = True
    return Wanted(str(common[0].value) if common else "", access, tuple(others), server=is_server)


def _state(
    certificate: x509.Certificate,
    authority: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey | None,
    now: datetime.datetime,
) -> State:
    if key is not None and key.public_key() != certificate.public_key():
        return State.MISMATCH
    if authority is not None and certificate != authority and not _is_signed_by(certificate, authority):
        return State.STRANGE
    if now < certificate.not_valid_before_utc:
        return State.NOT_YET
    if now > certificate.not_valid_after_utc:
        return State.EXPIRED
    return State.GOOD if now < _renewal(certificate) else State.DUE


def _is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _renewal(certificate: x509.Certificate) -> datetime.datetime:
    return renewal_time(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """None also for one that may not be read: whoever looks need not be who signs."""
    try:
        return certificates.read_key(path)
    except PermissionError:
        return None


def _alternatives(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    return tuple(str(name.value) for name in _alternatives(certificate))
