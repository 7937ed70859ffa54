"""Who may do what: the wire's default rule, and what the configuration grants local users on the Unix socket."""

from __future__ import annotations

import logging
import pwd
from collections.abc import Mapping, Sequence

from ovis.wire.identity import PeerIdentity, authorize
from ovis.wire.service import Access

log = logging.getLogger(__name__)


class Authorization:
    """Answers what a peer may do. A user that the system does not know yet is looked up again at each connection."""

    def __init__(self, granted: Mapping[str, Sequence[str]]) -> None:
        """`granted`: user name → names of access levels."""
        self._granted = {user: frozenset(Access(level) for level in levels) for user, levels in granted.items()}

    def __call__(self, identity: PeerIdentity) -> frozenset[Access]:
        allowed = authorize(identity)
        if identity.transport != "unix" or identity.uid is None:
            return allowed
        try:
            user = pwd.getpwuid(identity.uid).pw_name
        except KeyError:
            return allowed
        return allowed | self._granted.get(user, frozenset())
