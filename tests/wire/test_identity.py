import os

import pytest

from ovis.wire.identity import EVERYTHING, PeerIdentity, authorize, from_certificate
from ovis.wire.service import Access


@pytest.mark.parametrize(
    ("uris", "access"),
    [
        ((), EVERYTHING),
        (("urn:other",), EVERYTHING),
        (("urn:ovis:access:observe",), {Access.OBSERVE}),
        (("urn:ovis:access:operate",), {Access.OBSERVE, Access.OPERATE}),
        (("urn:ovis:access:peer", "urn:ovis:access:operate"), {Access.OBSERVE, Access.OPERATE, Access.PEER}),
        (("urn:ovis:access:administer",), EVERYTHING),
        (("urn:ovis:access:nonsense",), set()),
    ],
)
def test_certificate_names_its_rights(uris: tuple[str, ...], access: set[Access]) -> None:
    assert authorize(PeerIdentity("tls", "a:1", "n", uris=uris)) == access


@pytest.mark.parametrize(("uid", "access"), [(0, EVERYTHING), (os.geteuid(), EVERYTHING), (12345, {Access.OBSERVE})])
def test_local_user(uid: int, access: set[Access]) -> None:
    assert authorize(PeerIdentity("unix", "/s", f"uid:{uid}", uid=uid)) == access


def test_certificate_is_read() -> None:
    certificate: dict[str, object] = {
        "subject": ((("organizationName", "Ovis"),), (("organizationalUnitName", "ops"),), (("commonName", "me"),)),
        "subjectAltName": (("DNS", "me"), ("URI", "urn:ovis:access:peer")),
    }
    assert from_certificate(certificate, "a:1") == PeerIdentity(
        "tls", "a:1", "me", uris=("urn:ovis:access:peer",), units=("ops",)
    )
    assert from_certificate({}, "a:1").name == "unnamed"
