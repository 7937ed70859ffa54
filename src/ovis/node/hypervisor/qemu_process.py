"""The QEMU process of a domain, looked at past libvirt: for when libvirt does not know any more what it has.

A process is known by its program and by the id behind `-uuid` on its command line, which libvirt always gives. It is
held by a descriptor before it is looked at a second time, so that no other process with its number is ever hit.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")
DAEMONS = {b"libvirtd", b"virtqemud"}


def may_run(domain_id: str, proc: Path = PROC) -> bool:
    """False only where it is certain: the processes of others can be seen, libvirt's daemon is among them, and no QEMU
    of this domain is. Blocks for some milliseconds."""
    return bool(find(domain_id, proc)) or not any(_name(path) in DAEMONS for path in proc.glob("[0-9]*"))


def find(domain_id: str, proc: Path = PROC) -> list[int]:
    """Process numbers. Blocks for some milliseconds."""
    return [int(path.name) for path in proc.glob("[0-9]*") if _is_of(path, domain_id)]


def runs(domain_id: str, proc: Path = PROC) -> bool:
    """True only where it is certain: a QEMU of this domain is there, and not one of a machine within this machine (a
    container, a virtual host for tests), which may have the same VM on its way to or from here. Blocks."""
    return any(_is_of_this_machine(proc / str(number)) for number in find(domain_id, proc))


def kill(domain_id: str) -> bool:
    """Whether there was one. Blocks. Raises PermissionError where QEMU runs as another user than we do."""
    found = False
    for number in find(domain_id):
        with contextlib.suppress(ProcessLookupError):
            held = os.pidfd_open(number)
            try:
                if _is_of(PROC / str(number), domain_id):
                    signal.pidfd_send_signal(held, signal.SIGKILL)
                    found = True
            finally:
                os.close(held)
    return found


def _is_of_this_machine(path: Path) -> bool:
    """A process of an inner namespace has several numbers. Source: proc(5), NSpid."""
    try:
        status = (path / "status").read_text()
    except OSError:  # it has ended
        return False
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) == 1


def _words(path: Path) -> list[bytes]:
    try:
        return (path / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is not for us to see
        return [b""]


def _name(path: Path) -> bytes:
    return os.path.basename(_words(path)[0])


def _is_of(path: Path, domain_id: str) -> bool:
    words = _words(path)
    if not os.path.basename(words[0]).startswith((b"qemu", b"kvm")) or b"-uuid" not in words:
        return False
    place = words.index(b"-uuid") + 1
    return place < len(words) and words[place].lower() == domain_id.lower().encode()
