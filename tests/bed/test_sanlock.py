"""sanlock with its leases on logical volumes, and the watchdog that it wants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import volume_group

pytestmark = pytest.mark.bed(services=["sanlock"])
MIB = 1 << 20


@pytest.fixture(scope="module")
def lockspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A joined lockspace, with its resource "one" beside it."""
    import sanlock

    with (
        loop_device(tmp_path_factory.mktemp("disks"), 1024 * MIB) as device,
        volume_group("bedlocks", [device]) as group,
    ):
        for name in ("ids", "leases"):
            run("lvcreate", "--yes", "--name", name, "--size", "128m", group)
            run("chown", "sanlock:sanlock", f"/dev/{group}/{name}")
        ids, leases = f"/dev/{group}/ids", f"/dev/{group}/leases"
        sanlock.write_lockspace(b"bed", ids, iotimeout=1)
        sanlock.write_resource(b"bed", b"one", [(leases, MIB)])
        sanlock.add_lockspace(b"bed", 1, ids, iotimeout=1)
        yield leases
        sanlock.rem_lockspace(b"bed", 1, ids)


def test_a_lease_is_had_by_one_process(lockspace: str) -> None:
    import sanlock

    connection = sanlock.register()
    disks = [(lockspace, MIB)]
    sanlock.acquire(b"bed", b"one", disks, slkfd=connection)
    with pytest.raises(sanlock.SanlockException):
        sanlock.acquire(b"bed", b"one", disks, pid=1)
    sanlock.release(b"bed", b"one", disks, slkfd=connection)


def test_the_watchdog_is_held() -> None:
    assert int(Path("/sys/module/softdog/refcnt").read_text()) > 0
