"""Our reading of a certificate's dates against that of a library that reads all of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ovis.wire import certificates
from ovis.wire.validity import validity


def certificate(begin: datetime, end: datetime, *, name: str = "node") -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("begin", [datetime(1969, 7, 20, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC)])
@pytest.mark.parametrize("days", [1, 825, 40_000])
@pytest.mark.parametrize("name", ["n", "n" * 64])
def test_dates_of_both_forms_are_read(begin: datetime, days: int, name: str) -> None:
    end = begin + timedelta(days=days)
    assert validity(certificate(begin, end, name=name)) == (begin, end)


def test_our_own_certificates_are_read(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path).node
    for path in (files.certificate, files.ca):
        known = x509.load_pem_x509_certificate(Path(path).read_bytes())
        assert validity(Path(path).read_text()) == (known.not_valid_before_utc, known.not_valid_after_utc)


def test_the_first_certificate_counts_and_text_around_it_does_not() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first = certificate(now, now + timedelta(days=1))
    second = certificate(now, now + timedelta(days=2))
    assert validity(f"subject=CN = node\n{first}\n{second}")[1] == now + timedelta(days=1)


@pytest.mark.parametrize("place", range(0, 200, 7))
def test_a_shortened_certificate_is_an_error(place: int) -> None:
    lines = certificate(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)).splitlines()
    body = "".join(lines[1:-1])
    shortened = "\n".join([lines[0], body[: place // 4 * 4], lines[-1]])
    with pytest.raises(ValueError, match=r"ends early|holds no|stands where|does not match|padding"):
        validity(shortened)


def test_no_certificate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no certificate"):
        validity("-----BEGIN PRIVATE KEY-----\n")
