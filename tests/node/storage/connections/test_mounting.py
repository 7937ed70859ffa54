"""What becomes of a mount that is there already, is stale, or cannot be used."""

import asyncio
from pathlib import Path

import pytest
from fake_host import FakeHost

from ovis.node.privileged.access import Access, AccessState
from ovis.node.privileged.errors import Refused, TookTooLong
from ovis.node.privileged.mount_table import Mounted
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.connections import mounting
from ovis.node.storage.connections.errors import CannotMount, InUse, NotUsable
from ovis.node.storage.connections.mounting import Place

SOURCE = "nas:/vms"


def place(host: FakeHost) -> Place:
    return Place(SOURCE, host.repository.mount(SOURCE), "nfs", ("soft",))


def adopted(host: FakeHost, source: str = SOURCE) -> None:
    host.mounted.append(Mounted(place(host).target, source, "nfs4"))


def test_a_mount_of_before_is_adopted(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    adopted(host)
    asyncio.run(mounting.connect(place(host), host.tools()))
    assert [type(call).__name__ for call in host.calls] == ["CheckAccess"]


@pytest.mark.parametrize("problem", [AccessState.STALE, AccessState.BROKEN, None])
def test_a_dead_mount_that_nobody_needs_is_replaced(tmp_path: Path, problem: AccessState | None) -> None:
    host = FakeHost(
        tmp_path, access={"old": Access(problem)} if problem else {}, silent=set() if problem else {"old:/"}
    )
    source = "old" if problem else "old:/"
    adopted(host, source)
    fresh = Place(source, place(host).target, "nfs")
    checks = iter([None])

    class Recovered(FakeHost):
        def _CheckAccess(self, request):  # type: ignore[no-untyped-def]
            try:
                next(checks)
            except StopIteration:
                return Access(AccessState.USABLE)
            return super()._CheckAccess(request)

        def _Mount(self, request):  # type: ignore[no-untyped-def]
            self.silent.clear()
            return super()._Mount(request)

    host.__class__ = Recovered
    asyncio.run(mounting.connect(fresh, host.tools()))
    assert [type(call).__name__ for call in host.calls] == ["CheckAccess", "Unmount", "Mount", "CheckAccess"]
    assert host.calls[1].lazy
    assert host.let_go == [fresh.target]


def test_a_dead_mount_that_is_needed_is_left_alone(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, silent={SOURCE})
    adopted(host)
    with pytest.raises(CannotMount, match="it does not answer, but needed by domain x"):
        asyncio.run(mounting.connect(place(host), host.tools(users=lambda at: ["domain x"])))
    assert host.sources == [SOURCE]


def test_an_export_that_cannot_be_used_is_unmounted_again(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, access={SOURCE: Access(AccessState.DENIED, "not by 36:36")})
    with pytest.raises(NotUsable, match="not by 36:36"):
        asyncio.run(mounting.connect(place(host), host.tools()))
    assert host.mounted == []
    assert not Path(place(host).target).exists()


def test_a_server_that_does_not_answer_costs_a_deadline(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, silent={SOURCE})
    with pytest.raises(CannotMount, match="does not answer within 9 s"):
        asyncio.run(mounting.connect(place(host), host.tools()))
    assert not Path(place(host).target).exists()


def test_what_mount_says_is_told(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, failing={SOURCE: CommandResult(32, b"", b"mount.nfs: No such file or directory\n")})
    with pytest.raises(CannotMount, match="No such file or directory"):
        asyncio.run(mounting.connect(place(host), host.tools()))


def test_a_dead_server_is_unmounted_lazily(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, silent={SOURCE})
    adopted(host)
    asyncio.run(mounting.disconnect(place(host), host.tools()))
    assert host.mounted == []
    assert [call.lazy for call in host.calls] == [False, True]


def test_disconnecting_what_is_in_use_changes_nothing(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, busy={SOURCE})
    adopted(host)
    with pytest.raises(InUse, match="target is busy"):
        asyncio.run(mounting.disconnect(place(host), host.tools()))
    assert host.sources == [SOURCE]


def test_sources_are_compared_as_they_are_meant() -> None:
    assert mounting.same_source("g:vol", "g:/vol/")
    assert mounting.same_source("[fe80::1]:/", "[fe80::1]:/")
    assert not mounting.same_source("nas:/a", "nas:/b")
    assert not mounting.same_source("/dev/sda", "/dev/sdb")


def test_a_mount_that_came_through_late_is_adopted(tmp_path: Path) -> None:
    class Late(FakeHost):
        def _Mount(self, request):  # type: ignore[no-untyped-def]
            adopted(self)
            raise Refused("to mount", "it is mounted")

    host = Late(tmp_path)
    asyncio.run(mounting.connect(place(host), host.tools()))
    assert host.sources == [SOURCE]


def test_an_unmount_that_waits_for_a_dead_server_is_done_when_the_mount_is_gone(tmp_path: Path) -> None:
    class Slow(FakeHost):
        def _Unmount(self, request):  # type: ignore[no-untyped-def]
            if request.lazy:
                self.mounted.clear()
            raise TookTooLong("Unmount", 9)

    host = Slow(tmp_path)
    adopted(host)
    asyncio.run(mounting.disconnect(place(host), host.tools()))
    assert [call.lazy for call in host.calls] == [False, True]
