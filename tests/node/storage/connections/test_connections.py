"""Connecting, disconnecting, counting, remembering."""

import asyncio
from pathlib import Path

import pytest
from fake_host import FCP, ISCSI, NFS, ONE, TWO, ZERO, FakeHost, export

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.connections import kept
from ovis.node.storage.connections.connections import Unremembered
from ovis.node.storage.connections.errors import CannotMount, InUse, UnknownKind, WrongParameters

PLACE = "mnt/nas:_vms"


def problems(outcomes: list) -> list:
    return [type(outcome.problem) if outcome.problem else None for outcome in outcomes]


def target(host: str = "10.0.0.1", caller: str = ONE, **more) -> ConnectionRefParameters:
    return ConnectionRefParameters(id=caller, connection=host, iqn="iqn.2024-01.test:t1", **more)


def test_each_entry_is_tried_by_itself_and_answered_in_order(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, failing={"nas:/b": CommandResult(32, b"", b"mount.nfs: access denied")})

    async def main() -> None:
        connections = host.connections()
        asked = [export("nas:/a"), export("nas:/b", TWO), export("nonsense"), export("nas:/c")]
        outcomes = await connections.connect(NFS, asked)
        assert problems(outcomes) == [None, CannotMount, WrongParameters, None]
        assert [outcome.caller for outcome in outcomes] == [ONE, TWO, ONE, ONE]
        assert "access denied" in str(outcomes[1].problem)
        assert sorted(host.sources) == ["nas:/a", "nas:/c"]
        await connections.close()

    asyncio.run(main())


def test_connecting_twice_mounts_once(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        outcomes = [await connections.connect(NFS, [export(), export("nas://vms/", TWO)]) for _ in range(2)]
        assert [problems(outcome) for outcome in outcomes] == [[None, None]] * 2
        assert host.sources == ["nas:/vms"]
        await connections.close()

    asyncio.run(main())


def test_a_server_goes_with_the_last_of_its_callers(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export(caller=ONE), export(caller=TWO)])
        for caller, left in ((ONE, ["nas:/vms"]), (ONE, ["nas:/vms"]), (ZERO, ["nas:/vms"]), (TWO, [])):
            assert problems(await connections.disconnect(NFS, [export(caller=caller)])) == [None]
            assert host.sources == left
        await connections.close()

    asyncio.run(main())


def test_a_one_time_check_leaves_nothing(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export(caller=ZERO)])
        assert problems(await connections.disconnect(NFS, [export(caller=ZERO)])) == [None]
        assert host.mounted == []
        assert connections.known() == []
        await connections.close()

    asyncio.run(main())
    assert not Path(host.repository.root / PLACE).exists()


def test_what_is_needed_stays_connected(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    users = ["domain a-domain"]

    async def main() -> None:
        connections = host.connections(users=lambda place: users if place.name == "nas:_vms" else ())
        await connections.connect(NFS, [export()])
        outcome = (await connections.disconnect(NFS, [export()]))[0]
        assert isinstance(outcome.problem, InUse)
        assert "domain a-domain" in str(outcome.problem)
        assert host.sources == ["nas:/vms"]
        assert len(connections.known()) == 1
        users.clear()
        assert problems(await connections.disconnect(NFS, [export()])) == [None]
        assert host.let_go == [host.repository.root / PLACE]
        await connections.close()

    asyncio.run(main())


def test_a_mount_that_the_kernel_calls_busy_stays(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, busy={"nas:/vms"})

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export()])
        assert problems(await connections.disconnect(NFS, [export()])) == [InUse]
        assert host.sources == ["nas:/vms"]
        await connections.close()

    asyncio.run(main())


def test_a_restarted_agent_knows_and_a_restarted_host_connects_again(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        before = host.connections()
        await before.connect(NFS, [export(protocol_version="4.2"), export("nas:/iso", TWO)])
        await before.close()
        host.mounted.clear()  # the host was switched off
        after = host.connections()
        await after.recover()
        assert sorted(host.sources) == ["nas:/iso", "nas:/vms"]
        assert "vers=4.2" in host.options["nas:/vms"]
        assert problems(await after.disconnect(NFS, [export()])) == [None]
        await after.close()
        last = host.connections()
        await last.recover()
        assert [server.name for server in last.known()] == ["nfs nas:/iso"]
        await last.close()

    asyncio.run(main())


def test_a_server_that_is_away_is_tried_until_it_is_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export()])
        host.mounted.clear()
        host.silent.add("nas:/vms")
        caplog.clear()
        for _ in range(3):
            await connections.look()
        assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1
        host.silent.clear()
        await connections.look()
        assert host.sources == ["nas:/vms"]
        await connections.close()

    asyncio.run(main())


def test_a_list_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    (tmp_path / "state/connections.json.new").mkdir(parents=True)

    async def main() -> None:
        connections = host.connections()
        with pytest.raises(Unremembered):
            await connections.connect(NFS, [export()])
        await connections.close()

    asyncio.run(main())


def test_a_broken_list_is_put_aside(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state/connections.json").write_text('{"version": 1, "servers": [{"server": {"type": "tape"}}]}')

    async def main() -> None:
        connections = host.connections()
        await connections.recover()
        assert problems(await connections.connect(NFS, [export()])) == [None]
        await connections.close()

    asyncio.run(main())
    assert (tmp_path / "state/connections.json.broken").exists()


def test_an_unknown_kind_fails_the_call(tmp_path: Path) -> None:
    with pytest.raises(UnknownKind):
        asyncio.run(FakeHost(tmp_path).connections().connect(0, [export()]))


def test_devices_are_waited_for(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export()])
        assert "SettleDevices" not in [type(call).__name__ for call in host.calls]
        await connections.connect(ISCSI, [target(), target("10.0.0.2")])
        assert [type(call).__name__ for call in host.calls][-3:] == ["LogIn", "LogIn", "SettleDevices"]
        await connections.connect(FCP, [ConnectionRefParameters(id=ONE)])
        assert type(host.calls[-1]).__name__ == "SettleDevices"
        await connections.close()

    asyncio.run(main())


def test_secrets_are_not_written_down(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(ISCSI, [target(user="me", password="very secret")])
        await connections.close()
        assert "very secret" not in (tmp_path / "state/connections.json").read_text()
        host.calls.clear()
        for session in host.sysfs.glob("class/iscsi_session/*"):
            (session / "fake").write_text("gone")
            (session / "targetname").write_text("iqn.other")
        again = host.connections()
        await again.recover()
        login = next(call for call in host.calls if type(call).__name__ == "LogIn")
        assert login.recorded
        assert login.credentials is None
        await again.close()

    asyncio.run(main())


def test_a_call_that_is_cut_off_leaves_what_the_next_one_understands(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        for steps in range(12):  # the call is ended after so many of its steps
            call = asyncio.create_task(connections.connect(NFS, [export()]))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert problems(await connections.connect(NFS, [export()])) == [None]
            assert host.sources == ["nas:/vms"]
            assert [one.server.name for one in kept.read(tmp_path / "state/connections.json")] == ["nfs nas:/vms"]
            assert problems(await connections.disconnect(NFS, [export()])) == [None]
            assert host.mounted == []
            assert kept.read(tmp_path / "state/connections.json") == []
        await connections.close()

    asyncio.run(main())


def test_links_and_mounts_of_others_are_not_touched(tmp_path: Path) -> None:
    """Both remote paths have the name nas:_a___b."""
    host = FakeHost(tmp_path)

    async def main() -> None:
        connections = host.connections()
        await connections.connect(NFS, [export("nas:/a_/b")])
        outcome = (await connections.connect(NFS, [export("nas:/a/_b", TWO)]))[0]
        assert isinstance(outcome.problem, CannotMount)
        assert "nas:/a_/b is mounted" in str(outcome.problem)
        assert problems(await connections.disconnect(NFS, [export("nas:/a/_b", TWO)])) == [None]
        assert host.sources == ["nas:/a_/b"]
        await connections.close()

    asyncio.run(main())
