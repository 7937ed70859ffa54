"""Moving the tiny guest between two hosts: the agents beside `virsh migrate --live` of the same guest, in turns.

virsh's guest is foreign to the agents and waits while theirs moves, as theirs does while virsh's moves. Total time is
from the call to the moment when the VM is Down here with reason 4; for virsh it is the command's run time.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import real_libvirt
from bench import Bench
from rows import Round, Row, load_since, row

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import machine  # noqa: E402

from deploy.guest.tiny_guest import GuestNotBuilt, built  # noqa: E402
from ovis.client import types  # noqa: E402
from tests.real.migration_pair import Pair, pair  # noqa: E402

GROUP = "Migration of the tiny guest"
TOTAL = "total time"
DOWNTIME = "downtime"
ROUNDS = 7
MOST = 1.1
_SECONDS = 60.0
_LIVE = ["--live", "--p2p", "--unsafe"]


def measure(bench: Bench) -> None:
    if not (bench.wants(TOTAL) or bench.wants(DOWNTIME)):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    try:
        guest = built()
    except GuestNotBuilt as error:
        bench.notes.append(f"{GROUP}: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="ovis-bench-") as folder, pair(Path(folder), guest) as both:
        both.boot(counting=False)
        foreign = Foreign(both)
        total: list[Round] = []
        downtime: list[Round] = []
        for _ in range(1 if bench.quick else ROUNDS):
            _measure(both, foreign, total, downtime)
        both.clean()
    for name, rounds in ((TOTAL, total), (DOWNTIME, downtime)):
        if bench.wants(name):
            bench.add(_compared(name, rounds))


def _compared(name: str, rounds: list[Round]) -> Row:
    """The target: `MOST` times what virsh took in the same rounds."""
    allowed = MOST * statistics.median(each.also["virsh ms"] for each in rounds)
    return row(GROUP, name, rounds, "ms", target=allowed, note=f"target: {MOST} times virsh")


def _measure(both: Pair, foreign: Foreign, total: list[Round], downtime: list[Round]) -> None:
    before = machine.cpu_times()
    theirs, their_downtime = foreign.migrate()
    ours, our_downtime = _migrate(both)
    load = load_since(before)
    total.append(Round(ours, load, {"virsh ms": theirs}))
    downtime.append(Round(our_downtime, load, {"virsh ms": their_downtime}))


def _migrate(both: Pair) -> tuple[float, float]:
    """Milliseconds: total, downtime."""
    with both.client() as node:
        began = time.monotonic()
        node.vm.migrate(both.vm_id, types.MigrateParams(dst=both.hosts[both.there].address))
        while True:
            found = node.vm.get_stats(both.vm_id)[0]
            if isinstance(found, types.ExitedVmStats):
                break
            if time.monotonic() - began > _SECONDS:
                raise TimeoutError("the guest did not move")
            time.sleep(0.002)
        took = (time.monotonic() - began) * 1e3
        assert found.exit_reason == 4, found
        moved = node.vm.get_migration_status(both.vm_id)
        assert isinstance(moved, types.MigratedStats)
        node.vm.destroy(both.vm_id)
    both.here = both.there
    return took, float(moved.downtime_ms)


class Foreign:
    """The same guest, moved by virsh."""

    def __init__(self, both: Pair) -> None:
        self._both = both
        self._here = both.here
        self._id = str(uuid.uuid4())
        console = both.folder / "foreign.log"
        console.touch()
        path = both.folder / "foreign.xml"
        path.write_text(both.description(self._id, console))
        self._virsh(self._here, "create", str(path))
        time.sleep(5)  # its kernel has booted by then, as that of the other guest has

    def migrate(self) -> tuple[float, float]:
        there = 1 - self._here
        began = time.monotonic()
        self._virsh(self._here, "migrate", *_LIVE, self._id, f"qemu+tcp://{self._both.hosts[there].address}/system")
        took = (time.monotonic() - began) * 1e3
        told = self._virsh(there, "domjobinfo", self._id, "--completed")
        found = re.search(r"Total downtime:\s+(\d+)", told)
        self._here = there
        return took, float(found[1]) if found else 0.0

    def _virsh(self, number: int, *arguments: str) -> str:
        command = ["virsh", "--quiet", "--connect", self._both.hosts[number].libvirt_uri, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
