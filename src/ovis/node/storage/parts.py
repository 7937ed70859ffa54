"""The adapters under Storage, each imported and made when first needed. Tests replace single methods."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ovis.node.storage.settings import StorageSettings

if TYPE_CHECKING:
    from ovis.node.privileged.client import Privileged
    from ovis.node.storage.domains.interface import Domain
    from ovis.node.storage.formats.identifiers import DomainId
    from ovis.node.storage.io.interface import FileIo
    from ovis.node.storage.leases.interface import Locks


class Parts:
    def __init__(self, settings: StorageSettings) -> None:
        self.settings = settings

    @cached_property
    def privileged(self) -> Privileged:
        from ovis.node.privileged.client import found

        user, group = self.settings.owner
        root = self.settings.repository.root
        return found(self.settings.privileged_socket, repository=root, user=user, group=group)

    @cached_property
    def connections(self) -> Any:
        raise NotImplementedError

    def io(self, mount: PurePosixPath) -> FileIo:
        raise NotImplementedError

    async def close_io(self, io: FileIo) -> None:
        raise NotImplementedError

    def locks(self, *, is_local: bool) -> Locks:
        raise NotImplementedError

    async def open_file_domain(self, io: FileIo, folder: PurePosixPath) -> Domain:
        raise NotImplementedError

    async def block_domains(self) -> list[DomainId]:
        """Ids of the volume groups that are domains."""
        return []

    async def open_block_domain(self, domain_id: DomainId) -> Domain:
        raise NotImplementedError

    async def recover(self) -> None: ...

    async def close(self) -> None:
        if "privileged" in self.__dict__:
            await self.privileged.close()
