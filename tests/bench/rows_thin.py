"""Thin disks: how long it takes from passing the threshold until QEMU can write beyond the old end, on the SPM's host
and on another, which asks by mail.

Two hosts in beds, a volume group over iSCSI from a third, real sanlock, a guest on each host that writes as quickly as
it can, both at once, without hardware acceleration: QEMU wants the one CPU of each bed for itself all the time.
"""

from __future__ import annotations

import time

import in_bed
import machine
from bench import Bench
from rows import Round, load_since, percentile, row

from deploy.bed.hosts import Hosts
from deploy.guest.tiny_guest import GuestNotBuilt, built
from tests.bed.parts.writing_guests import Guest, writing_guests

GROUP = "thin disks in beds: from the threshold to the room"
OWN = "extended on the SPM's host, p95"
MAIL = "extended by mail, p95"
_TARGET_SECONDS = 1.0
_SECONDS = 900.0


def measure(bench: Bench) -> None:
    if not bench.wants_any([OWN, MAIL]):
        return
    if reason := in_bed.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    try:
        image = built()
    except GuestNotBuilt as error:
        bench.notes.append(f"{GROUP}: {error}")
        return
    with Hosts() as beds, writing_guests(beds, image) as guests:
        before = machine.cpu_times()
        begin = time.monotonic()
        for guest in guests:
            guest.begin_writing(512 if bench.quick else 3072)
        for guest in guests:
            guest.host.until("all is written", guest.has_written, patience=_SECONDS)
        seconds, load = time.monotonic() - begin, load_since(before)
        for name, guest in zip((OWN, MAIL), guests, strict=True):
            waits = sorted(guest.waits())
            also = {"median": percentile(waits, 0.5), "most": waits[-1], "extensions": len(waits)}
            found = Round(percentile(waits, 0.95), load, also)
            bench.add(row(GROUP, name, [found], "s", target=_TARGET_SECONDS, note=_note(guest, seconds)))


def _note(guest: Guest, seconds: float) -> str:
    mib = guest.host.size(guest.ids) >> 20
    return f"volume of {mib} MiB after {seconds:.0f} s, paused {guest.pauses()} times"
