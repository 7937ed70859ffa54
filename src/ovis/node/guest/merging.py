"""One picture of a guest from its agents.

Where both tell, the QEMU agent's word counts: it was asked, and lately. Of the desktop (who sits there, whether it is
locked) the oVirt agent knows, which is told at once when that changes.
"""

from __future__ import annotations

from dataclasses import fields

from ovis.node.guest.facts import GuestFacts

DESKTOP = ("users", "session")


def merged(qemu: GuestFacts | None, ovirt: GuestFacts | None) -> GuestFacts | None:
    """None when no agent has told anything."""
    if qemu is None or ovirt is None:
        return qemu or ovirt
    chosen = {}
    for field in fields(GuestFacts):
        first, second = (ovirt, qemu) if field.name in DESKTOP else (qemu, ovirt)
        value = getattr(first, field.name)
        chosen[field.name] = getattr(second, field.name) if value is None else value
    return GuestFacts(**chosen)
