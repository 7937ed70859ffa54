"""Attaching and detaching with a driver of our own, whose devices are files; each step failing or dying in turn."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from storage_host import Cluster, call

from ovis.node.errors import BadParameter
from ovis.node.privileged.errors import TookTooLong
from ovis.node.storage.managed.driver import Attachment, Connection, Tools
from ovis.node.storage.managed.errors import (
    AlreadyAttached,
    DriverFailed,
    NotSupported,
    OtherConnection,
    UnsupportedDevice,
)
from ovis.node.storage.managed.records import Records
from ovis.node.storage.managed.volumes import ManagedVolumes
from ovis.node.wire_errors import code_of
from ovis.wire.errors import RpcError

VOLUME, OTHER = "5849b030-626e-47cb-ad90-3ce782d831b3", "6849b030-626e-47cb-ad90-3ce782d831b3"
DOMAIN = "7849b030-626e-47cb-ad90-3ce782d831b3"
CONNECTION = Connection("file", {"size": 1, "auth_password": "very secret", "deep": [{"key": "secret"}]})


class Died(BaseException):
    """Of kill -9: nothing of the agent's code runs after it."""


class FileDriver:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "devices"
        self.folder.mkdir()
        self.problem: BaseException | None = None
        self.undo_problem: Exception | None = None

    def devices(self) -> list[str]:
        return [file.name for file in self.folder.iterdir()]

    def check(self, connection: Connection) -> None: ...

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment:
        (self.folder / volume).touch()
        if self.problem is not None:
            raise self.problem
        return Attachment(str(self.folder / volume))

    async def detach(self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> None:
        if self.undo_problem is not None:
            raise self.undo_problem
        (self.folder / volume).unlink(missing_ok=True)


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.driver = FileDriver(folder)
        (folder / "boot_id").write_text("one\n")
        self.records = Records(folder / "state/managed", boot_id=folder / "boot_id")
        self.links = folder / "links"
        self.check: Callable[[str], None] = lambda path: None

    def boot(self, boot_id: str) -> list[Attachment | None]:
        """What is remembered then as attached."""
        (self.folder / "boot_id").write_text(f"{boot_id}\n")
        return [record.attachment for record in self.records.all()]

    def agent(self) -> ManagedVolumes:
        """One life of it."""
        nothing: Any = None
        return ManagedVolumes(
            self.records, self.links, nothing, nothing, find=lambda _: self.driver, check=lambda path: self.check(path)
        )

    def left(self) -> tuple[list[str], list[str], list[str]]:
        """Devices, links, records."""
        links = [file.name for file in self.links.iterdir()] if self.links.is_dir() else []
        return self.driver.devices(), links, [record.volume for record in self.records.all()]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def run(work: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await work

    return asyncio.run(main())


def test_an_attached_volume_has_a_link_and_is_listed(scene: Scene) -> None:
    done = run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert done.link == scene.links / f"{DOMAIN}_{VOLUME}"
    assert str(done.link.readlink()) == done.record.attachment.path
    (found,) = run(scene.agent().all())
    assert found.exists
    assert found.record.connection == CONNECTION


def test_a_volume_of_no_domain_has_no_link(scene: Scene) -> None:
    assert run(scene.agent().attach(VOLUME, "", CONNECTION)).link is None


def test_a_detached_volume_leaves_nothing_and_an_unknown_one_is_no_error(scene: Scene) -> None:
    run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    for _ in range(2):
        run(scene.agent().detach(VOLUME))
        assert scene.left() == ([], [], [])


def test_an_attached_volume_is_not_attached_again(scene: Scene) -> None:
    run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    with pytest.raises(AlreadyAttached):
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    with pytest.raises(OtherConnection):
        run(scene.agent().attach(VOLUME, DOMAIN, Connection("file", {"size": 2})))
    assert scene.left() == ([VOLUME], [f"{DOMAIN}_{VOLUME}"], [VOLUME])


def test_a_device_that_is_gone_is_attached_anew(scene: Scene) -> None:
    run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    (scene.driver.folder / VOLUME).unlink()
    assert [one.exists for one in run(scene.agent().all())] == [False]
    assert run(scene.agent().attach(VOLUME, OTHER, CONNECTION)).exists
    assert scene.left() == ([VOLUME], [f"{OTHER}_{VOLUME}"], [VOLUME])


def test_after_a_boot_a_device_of_that_name_is_somebody_elses(scene: Scene) -> None:
    before = run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert scene.boot("another") == [None]
    assert Path(before.record.attachment.path).exists()
    assert [one.exists for one in run(scene.agent().all())] == [False]
    assert run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION)).exists


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (DriverFailed("it", "broken"), DriverFailed),
        (NotSupported("file", "no tools"), NotSupported),
        (BadParameter("connection_info.data", "wrong"), BadParameter),
        (OSError(5, "Input/output error"), DriverFailed),
        (TookTooLong("AttachLoop", 1), DriverFailed),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
def test_a_failed_attach_leaves_nothing(scene: Scene, problem: BaseException, told: type[BaseException]) -> None:
    scene.driver.problem = problem
    with pytest.raises(told):
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert scene.left() == ([], [], [])


def test_a_device_that_is_none_is_detached_again(scene: Scene) -> None:
    def refuse(path: str) -> None:
        raise UnsupportedDevice(path, "no block device")

    scene.check = refuse
    with pytest.raises(UnsupportedDevice):
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert scene.left() == ([], [], [])


def test_a_link_that_cannot_be_made_undoes_it(scene: Scene) -> None:
    scene.links.write_text("in the way")
    with pytest.raises(DriverFailed, match="File exists"):
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert scene.driver.devices() == []


def test_what_cannot_be_undone_stays_remembered_and_is_detached_later(scene: Scene) -> None:
    scene.driver.problem, scene.driver.undo_problem = OSError(5, "broken"), DriverFailed("detach", "busy")
    with pytest.raises(DriverFailed) as told:
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    assert "stays remembered" in " ".join(told.value.__notes__)
    assert scene.left() == ([VOLUME], [], [VOLUME])
    scene.driver.undo_problem = None
    run(scene.agent().detach(VOLUME))
    assert scene.left() == ([], [], [])


@pytest.mark.parametrize("after", ["write 1", "attach", "link", "write 2"])
def test_an_agent_that_dies_leaves_a_record_that_is_finished_or_cleaned(
    scene: Scene, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_after(scene, after, monkeypatch)
    with pytest.raises(Died):
        run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    monkeypatch.undo()
    (found,) = run(scene.agent().all())
    assert found.record.volume == VOLUME
    assert (found.record.attachment is not None) == (after == "write 2")
    if after != "write 2":
        assert run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION)).exists
    run(scene.agent().detach(VOLUME))
    assert scene.left() == ([], [], [])


def die_after(scene: Scene, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is done whole, and then nothing more happens, not even an undo."""
    count = 0

    def dying(name: str, target: Any, attribute: str) -> None:
        real = getattr(target, attribute)

        def act(*arguments: Any) -> Any:
            nonlocal count
            done = real(*arguments)
            count += attribute == "write"
            if after in (name, f"{name} {count}"):
                raise Died
            return done

        async def act_async(*arguments: Any) -> Any:
            done = await real(*arguments)
            if after == name:
                raise Died
            return done

        monkeypatch.setattr(target, attribute, act_async if asyncio.iscoroutinefunction(real) else act)

    async def nothing(*_: Any) -> None: ...

    monkeypatch.setattr(ManagedVolumes, "_undo", nothing)
    dying("write", Records, "write")
    dying("attach", FileDriver, "attach")
    dying("link", ManagedVolumes, "_link")


def test_a_volume_that_a_vm_uses_stays(scene: Scene) -> None:
    done = run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    with pytest.raises(DriverFailed, match="VM one uses it"):
        run(scene.agent().detach(VOLUME, lambda paths: ["one"] if str(done.link) in paths else []))
    assert scene.left() == ([VOLUME], [f"{DOMAIN}_{VOLUME}"], [VOLUME])


def test_a_detach_that_fails_keeps_link_and_record(scene: Scene) -> None:
    run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    scene.driver.undo_problem = OSError(16, "Device or resource busy")
    with pytest.raises(DriverFailed):
        run(scene.agent().detach(VOLUME))
    assert scene.left() == ([VOLUME], [f"{DOMAIN}_{VOLUME}"], [VOLUME])


def test_volumes_are_attached_side_by_side(scene: Scene) -> None:
    async def main() -> None:
        agent = scene.agent()
        await asyncio.gather(*(agent.attach(volume, DOMAIN, CONNECTION) for volume in (VOLUME, OTHER)))
        assert [one.record.volume for one in await agent.all()] == [VOLUME, OTHER]
        results = await asyncio.gather(*(agent.attach(VOLUME, "", CONNECTION) for _ in "ab"), return_exceptions=True)
        assert [type(result) for result in results] == [AlreadyAttached] * 2

    run(main())


def test_a_broken_record_is_put_aside(scene: Scene) -> None:
    run(scene.agent().attach(VOLUME, DOMAIN, CONNECTION))
    file = scene.folder / f"state/managed/{VOLUME}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.write_bytes(b"{")
    assert run(scene.agent().all()) == []
    assert file.with_name(f"{VOLUME}.json.broken").exists()


def test_what_clients_see(scene: Scene, tmp_path: Path) -> None:
    connection = {"driver_volume_type": "file", "data": dict(CONNECTION.data)}
    vol = {"vol_id": VOLUME.upper(), "sd_id": DOMAIN}

    async def main() -> None:
        async with Cluster(tmp_path).host() as storage:
            storage.__dict__["managed"] = scene.agent()
            attached = await call(storage, "ManagedVolume.attach_volume", **vol, connection_info=connection)
            device, link = str(scene.driver.folder / VOLUME), str(scene.links / f"{DOMAIN}_{VOLUME}")
            told = {"vol_id": VOLUME, "path": device, "attachment": {"path": device, "type": "block"}}
            assert attached == {**told, "managed_path": link}
            (info,) = await call(storage, "ManagedVolume.volumes_info", vol_ids=[VOLUME, OTHER])
            shown = {"driver_volume_type": "file", "data": {"size": 1, "deep": [{}]}}
            assert info == {**told, "managed_path": link, "exists": True, "connection_info": shown}
            with pytest.raises(RpcError) as again:
                await call(storage, "ManagedVolume.attach_volume", **vol, connection_info=connection)
            assert again.value.code == 927
            assert await call(storage, "ManagedVolume.detach_volume", **vol) is True
            assert await call(storage, "ManagedVolume.volumes_info") == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "code"), [("fibre_channel", 925), ("iscsi", code_of("InvalidParameter")), ("local", 926)]
)
def test_what_real_drivers_refuse(tmp_path: Path, kind: str, code: int) -> None:
    connection = {"driver_volume_type": kind, "data": {"device_path": "/etc/shadow"}}

    async def main() -> None:
        async with Cluster(tmp_path).host() as storage:
            with pytest.raises(RpcError) as refused:
                await call(storage, "ManagedVolume.attach_volume", vol_id=VOLUME, connection_info=connection)
            assert refused.value.code == code
            assert await call(storage, "ManagedVolume.volumes_info") == []

    asyncio.run(main())
