"""The adapters under Storage, each imported and made when first needed. Tests replace single methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from ovis.node.storage.leases.errors import LeaseLost
from ovis.node.storage.settings import StorageSettings

if TYPE_CHECKING:
    from ovis.node.privileged.client import Privileged
    from ovis.node.storage.connections.connections import Connections
    from ovis.node.storage.devices.devices import Devices
    from ovis.node.storage.domains.block_domain import BlockHost
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import DomainId
    from ovis.node.storage.io.interface import FileIo
    from ovis.node.storage.io.process import IoProcess
    from ovis.node.storage.leases.interface import Locks, Tie
    from ovis.node.storage.leases.local import LocalLocks
    from ovis.node.storage.leases.sanlock import SanlockLocks
    from ovis.node.storage.storage import Storage

MAPPER = PurePosixPath("/dev/mapper")


class Parts:
    def __init__(self, settings: StorageSettings, shared_privileged: Callable[[], Privileged] | None = None) -> None:
        """`shared_privileged`: the root helper of the whole agent, which others close; without it one of our own."""
        self.settings = settings
        self._shared_privileged = shared_privileged
        self.role_tie: Tie | None = None
        """Of the SPM's lease, while this host is the SPM: processes that touch storage inherit it."""

    def role_ties(self) -> tuple[Tie, ...]:
        """Raises LeaseLost."""
        if self.role_tie is None:
            return ()
        if not self.role_tie.is_open:
            raise LeaseLost("the lease of the SPM", "storage is not touched until the role has ended")
        return (self.role_tie,)

    @property
    def privileged(self) -> Privileged:
        return self._own_privileged if self._shared_privileged is None else self._shared_privileged()

    @cached_property
    def _own_privileged(self) -> Privileged:
        from ovis.node.privileged.client import found

        settings = self.settings
        user, group = settings.owner
        return found(
            settings.privileged_socket,
            repository=settings.repository.root,
            user=user,
            group=group,
            options=settings.helper_options,
        )

    def connections(self, storage: Storage) -> Connections:
        from ovis.node.storage.connections.connections import Connections
        from ovis.node.storage.connections.interface import Tools

        tools = Tools(
            self.privileged,
            self.settings.repository,
            nfs_options=self.settings.nfs_options,
            users=storage.users,
            let_go=storage.forget_io,
        )
        return Connections(tools, self.settings.state / "connections.json", retry_period=self.settings.retry_period)

    def io(self, mount: PurePosixPath) -> FileIo:
        from ovis.node.storage.io.process import IoProcess

        settings = self.settings
        return IoProcess([mount], seconds=settings.io_deadline, owner=settings.owner, role=self.role_ties)

    def renew_io(self, io: FileIo, *, at_once: bool) -> None:
        """Its process is replaced: when what it does now is done, or at once."""
        cast("IoProcess", io).renew(at_once=at_once)

    async def close_io(self, io: FileIo) -> None:
        await cast("IoProcess", io).close()

    def locks(self, *, is_local: bool) -> Locks:
        return self._local if is_local or self.settings.locks == "local" else self._sanlock

    async def open_file_domain(self, io: FileIo, folder: PurePosixPath) -> Domain:
        from ovis.node.storage.domains.file_domain import open_file_domain

        return await open_file_domain(io, folder, self.locks)

    async def block_domains(self) -> list[DomainId]:
        """Ids of the volume groups that are domains."""
        from ovis.node.storage.domains.block_domain import block_domains

        return await block_domains(self.block_host.lvm)

    async def open_block_domain(self, domain_id: DomainId) -> Domain:
        from ovis.node.storage.domains.block_domain import open_block_domain

        return await open_block_domain(self.block_host, domain_id)

    @cached_property
    def block_host(self) -> BlockHost:
        from ovis.node.storage.domains.block_domain import BlockHost
        from ovis.node.storage.leases.tied_root import TiedRoot
        from ovis.node.storage.lvm.isolation import isolation
        from ovis.node.storage.lvm.lvm import Lvm
        from ovis.node.storage.lvm.memory import GroupMemory
        from ovis.node.storage.lvm.privileged import PrivilegedLvm

        root = TiedRoot(self.privileged, self.role_ties)
        lvm = Lvm(PrivilegedLvm(root), isolation(self.settings.lvm_filter))
        return BlockHost(
            lvm=lvm,
            memory=GroupMemory(lvm),
            root=root,
            repository=self.settings.repository,
            locks=self.locks(is_local=False),
            open_io=self._block_io,
        )

    def forget_groups(self) -> None:
        """What this process knows of volume groups: others may have changed them, whatever it looks like."""
        if "block_host" in self.__dict__:
            self.block_host.memory.forget_all()

    @cached_property
    def devices(self) -> Devices:
        """The disks that this host sees."""
        from ovis.node.storage.devices.devices import Devices

        return Devices(self.privileged, self.block_host.lvm)

    def watch(self, storage: Storage, domain_id: DomainId) -> None:
        storage.monitors.watch(domain_id)

    async def unwatch(self, storage: Storage, domain_id: DomainId) -> None:
        await storage.monitors.unwatch(domain_id)

    async def recover(self) -> None: ...

    async def close(self) -> None:
        if "block_host" in self.__dict__:
            await self.block_host.memory.close()
        for name in ("devices", "_local", "_sanlock", "_own_privileged"):
            if name in self.__dict__:
                await getattr(self, name).close()

    @cached_property
    def _local(self) -> LocalLocks:
        from ovis.node.storage.leases.local import LocalLocks

        return LocalLocks()

    @cached_property
    def _sanlock(self) -> SanlockLocks:
        from ovis.node.storage.leases.sanlock import SanlockLocks

        return SanlockLocks(self.settings.sanlock_folder, io_timeout=self.settings.sanlock_io_timeout)

    def _block_io(self, domain: DomainId) -> tuple[FileIo, Callable[[], Awaitable[None]]]:
        from ovis.node.storage.io.process import IoProcess

        folder = self.settings.repository.block_domain(domain).folder
        io = IoProcess(
            [folder],
            device_roots=[self.block_host.lvm.device_folder / domain, MAPPER],
            seconds=self.settings.io_deadline,
            owner=self.settings.owner,
            role=self.role_ties,
        )
        return io, io.close
