"""From when until when a certificate is valid, read from the certificate itself.

Only for this question: a library that reads all of a certificate costs a server 7 MB of memory and 20 ms. Whether the
certificate is good is for OpenSSL to say.

Source: RFC 5280, 4.1 (Certificate: a sequence that begins with TBSCertificate: [0] version, serialNumber, signature,
issuer, validity ...; 4.1.2.5: times are UTCTime until 2049 and GeneralizedTime after it); X.690, 8.1 (tag, length).
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

_FIRST = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_TIME = re.compile("[0-9]{14}Z")
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_BEFORE_VALIDITY = 3  # serialNumber, signature, issuer


def validity(pem: str) -> tuple[datetime, datetime]:
    """The first and the last second of the first certificate in the text. Raises ValueError."""
    found = _FIRST.search(pem)
    if found is None:
        raise ValueError("it holds no certificate")
    whole = _content(ssl.PEM_cert_to_DER_cert(found[0]), _SEQUENCE)
    rest = _content(whole, _SEQUENCE)
    if rest[:1] == bytes([_VERSION]):
        rest = _after(rest)
    for _ in range(_BEFORE_VALIDITY):
        rest = _after(rest)
    times = _content(rest, _SEQUENCE)
    return _time(times), _time(_after(times))


def renewal_time(begin: datetime, end: datetime) -> datetime:
    """When two thirds of its life are gone: there is as much time again as half of it to notice what went wrong."""
    return begin + (end - begin) * 2 / 3


def _time(data: bytes) -> datetime:
    tag, content, _ = _split(data)
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # years 50 to 99 are those of the last century
        text = ("19" if text >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("its validity is no time")
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no time")
    year, month, day, hour, minute, second = int(text[:4]), *(int(text[place : place + 2]) for place in range(4, 14, 2))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)  # strptime loads 0.3 MB


def _content(data: bytes, wanted: int) -> bytes:
    tag, content, _ = _split(data)
    if tag != wanted:
        raise ValueError(f"an element of kind {tag:#x} stands where {wanted:#x} is expected")
    return content


def _after(data: bytes) -> bytes:
    return _split(data)[2]


def _split(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what follows. Lengths below 128 are one byte, others tell their own size first."""
    if len(data) < 2:
        raise ValueError("the certificate ends early")
    begin, size = 2, data[1]
    if size & 0x80:
        begin += size & 0x7F
        size = int.from_bytes(data[2:begin], "big")
    if begin + size > len(data):
        raise ValueError("the certificate ends early")
    return data[0], data[begin : begin + size], data[begin + size :]
