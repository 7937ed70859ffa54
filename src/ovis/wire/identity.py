"""Who is at the other end, as the transport proves it, and what that may do by default.

A certificate names its rights in URIs of its subject alternative name: `urn:ovis:access:administer` and so on. The
higher levels include the lower ones: administer > operate > observe; `peer` (another node, for migration) includes
observe. A certificate of the CA without any such URI may do everything: certificates made before there were levels were
signed for exactly that, and existing engines present them.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

from ovis.wire.service import Access

ACCESS_URN = "urn:ovis:access:"
EVERYTHING = frozenset(Access)

_INCLUDES = {
    Access.OBSERVE: frozenset({Access.OBSERVE}),
    Access.OPERATE: frozenset({Access.OBSERVE, Access.OPERATE}),
    Access.ADMINISTER: EVERYTHING,
    Access.PEER: frozenset({Access.OBSERVE, Access.PEER}),
}
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    transport: str
    """`tls`, `unix` or `tcp`."""
    address: str
    name: str
    """Common name of the subject, `uid:<number>`, or `anonymous` on plain TCP."""
    uris: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    pid: int | None = None


def authorize(identity: PeerIdentity) -> frozenset[Access]:
    """The default rule: levels from the certificate; on a Unix socket root and the agent's own user may do everything.

    Other local users that the socket's mode lets in may observe. Plain TCP (tests) may do everything.
    """
    if identity.transport == "unix":
        return EVERYTHING if identity.uid in (0, os.geteuid()) else _INCLUDES[Access.OBSERVE]
    named = [uri.removeprefix(ACCESS_URN) for uri in identity.uris if uri.startswith(ACCESS_URN)]
    if not named:
        return EVERYTHING
    granted = [_INCLUDES[Access(level)] for level in named if level in Access.__members__.values()]
    return frozenset().union(*granted)


def from_certificate(certificate: dict[str, object], address: str) -> PeerIdentity:
    """Read what `SSLObject.getpeercert()` gives."""
    fields: dict[str, list[str]] = {}
    for relative_name in _pairs_of_pairs(certificate.get("subject", ())):
        for key, value in relative_name:
            fields.setdefault(key, []).append(value)
    alternatives = certificate.get("subjectAltName", ())
    assert isinstance(alternatives, tuple)
    return PeerIdentity(
        "tls",
        address,
        next(iter(fields.get("commonName", ())), "unnamed"),
        uris=tuple(value for kind, value in alternatives if kind == "URI"),
        units=tuple(fields.get("organizationalUnitName", ())),
    )


def _pairs_of_pairs(value: object) -> tuple[tuple[tuple[str, str], ...], ...]:
    assert isinstance(value, tuple)
    return value


def from_unix_socket(fileno: int, address: str) -> PeerIdentity:
    """Read SO_PEERCRED: who connected, as the kernel noted it then."""
    with socket.socket(fileno=os.dup(fileno)) as peer:
        data = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(data)
    return PeerIdentity("unix", address, f"uid:{uid}", uid=uid, gid=gid, pid=pid)
