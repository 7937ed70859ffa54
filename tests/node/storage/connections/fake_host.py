"""A host whose root helper mounts and logs in within memory; `mounted` and a sysfs folder show what it did."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from ovis.node.privileged.access import Access, AccessState, CheckAccess
from ovis.node.privileged.errors import TookTooLong
from ovis.node.privileged.iscsi import LogIn, LogOut
from ovis.node.privileged.mount_table import Mounted
from ovis.node.privileged.mounts import Mount, Unmount
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.connections.connections import Connections
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.formats.repository import Repository

NFS, FCP, ISCSI, LOCAL, POSIX, GLUSTER = (
    StorageDomainTypeId.NFS,
    StorageDomainTypeId.FCP,
    StorageDomainTypeId.ISCSI,
    StorageDomainTypeId.LOCALFS,
    StorageDomainTypeId.POSIXFS,
    StorageDomainTypeId.GLUSTERFS,
)
ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
ZERO = "00000000-0000-0000-0000-000000000000"
DONE = CommandResult(0)


def export(path: str = "nas:/vms", caller: str = ONE, **more: Any) -> ConnectionRefParameters:
    return ConnectionRefParameters(id=caller, connection=path, **more)


@dataclass
class FakeHost:
    """`access`: by source or path; sources in `silent` never answer; `busy` mounts do not go away unless lazily."""

    folder: Path
    mounted: list[Mounted] = field(default_factory=list)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    failing: dict[str, CommandResult] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    calls: list[Any] = field(default_factory=list)
    let_go: list[PurePosixPath] = field(default_factory=list)

    @property
    def repository(self) -> Repository:
        return Repository(root=PurePosixPath(self.folder / "repository"))

    @property
    def sysfs(self) -> Path:
        return self.folder / "sys"

    @property
    def sources(self) -> list[str]:
        return [mounted.source for mounted in self.mounted]

    def tools(self, **more: Any) -> Tools:
        async def let_go(place: PurePosixPath) -> None:
            self.let_go.append(place)

        return Tools(
            self,  # type: ignore[arg-type]
            self.repository,
            let_go=let_go,
            mounted=lambda: list(self.mounted),
            sysfs=self.sysfs,
            mount_seconds=9,
            access_seconds=9,
            **more,
        )

    def connections(self, **more: Any) -> Connections:
        return Connections(self.tools(**more), self.folder / "state" / "connections.json", retry_period=1000)

    async def call(self, request: Any, *, seconds: float | None = None, told: Any = None) -> Any:
        self.calls.append(request)
        await asyncio.sleep(0)
        method = getattr(self, f"_{type(request).__name__}", None)
        return method(request) if method else DONE

    def _Mount(self, request: Mount) -> CommandResult:
        if request.source in self.silent:
            raise TookTooLong("Mount", 9)
        if request.source in self.failing:
            return self.failing[request.source]
        assert Path(request.target).is_dir()
        self.mounted.append(Mounted(PurePosixPath(request.target), request.source, request.type))
        self.options[request.source] = request.options
        return DONE

    def _Unmount(self, request: Unmount) -> CommandResult:
        found = next((m for m in reversed(self.mounted) if str(m.target) == request.target), None)
        if found is None:
            return DONE
        if found.source in self.silent and not request.lazy:
            raise TookTooLong("Unmount", 9)
        if found.source in self.busy and not request.lazy:
            return CommandResult(32, b"", b"umount: target is busy.")
        self.mounted.remove(found)
        return DONE

    def _CheckAccess(self, request: CheckAccess) -> Access:
        found = next((m for m in reversed(self.mounted) if str(m.target) == request.path), None)
        if found is None:
            there = Path(request.path).is_dir()
            return self.access.get(request.path, Access(AccessState.USABLE if there else AccessState.MISSING))
        if found.source in self.silent:
            raise TookTooLong("CheckAccess", 9)
        return self.access.get(found.source, Access(AccessState.USABLE))

    def _LogIn(self, request: LogIn) -> CommandResult:
        if request.target in self.failing:
            return self.failing[request.target]
        if self._session(request) is not None:
            return CommandResult(15)
        number = len(list(self.sysfs.glob("class/iscsi_session/*"))) + 1
        self.add_session(number, request.target, request.portal.host, request.portal.port, request.interface)
        return DONE

    def _LogOut(self, request: LogOut) -> CommandResult:
        session = self._session(request)
        if session is None:
            return CommandResult(21)
        shutil.rmtree(session)
        return DONE

    def _session(self, request: LogIn | LogOut) -> Path | None:
        wanted = f"{request.target}\n{request.portal.host}\n{request.portal.port}\n{request.interface}"
        for path in self.sysfs.glob("class/iscsi_session/*"):
            if (path / "fake").read_text() == wanted:
                return path
        return None

    def add_session(
        self, number: int, target: str, host: str, port: int = 3260, interface: str = "default", disk: str = ""
    ) -> None:
        session = self.sysfs / f"class/iscsi_session/session{number}"
        connection = self.sysfs / f"class/iscsi_connection/connection{number}:0"
        _write(session, targetname=target, tpgt="1", ifacename=interface)
        (session / "fake").write_text(f"{target}\n{host}\n{port}\n{interface}")
        _write(connection, persistent_address=host, persistent_port=str(port))
        if disk:
            (session / "device/target2:0:0/2:0:0:1/block" / disk).mkdir(parents=True)

    def stack(self, upper: str, *lowers: str, uuid: str) -> None:
        """A device mapper device on others."""
        _write(self.sysfs / "block" / upper / "dm", uuid=uuid, name=f"name-of-{upper}")
        for lower in lowers:
            (self.sysfs / "block" / lower / "holders" / upper).mkdir(parents=True)
            (self.sysfs / "block" / upper / "slaves" / lower).mkdir(parents=True)


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")
