"""A directory of this host: a link mnt/<its path> leads to it, so that domains are found as on any server."""

from __future__ import annotations

import contextlib
import os
from pathlib import PurePosixPath
from typing import ClassVar

from msgspec import Struct

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged.access import AccessState
from ovis.node.storage.connections import mounting
from ovis.node.storage.connections.errors import CannotMount, InUse, NotUsable, WrongParameters
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.connections.parameters import absolute, needed
from ovis.node.storage.formats.repository import mount_name


class LocalFolder(Struct, frozen=True, tag_field="kind", tag="local"):
    brings_devices: ClassVar[bool] = False

    path: str

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> LocalFolder:
        path = absolute(needed("connection", given.connection, given.path), "connection")
        mount_name(path)
        return cls(path)

    @property
    def name(self) -> str:
        return f"local {self.path}"

    async def connect(self, tools: Tools) -> None:
        if PurePosixPath(self.path).is_relative_to(tools.repository.root):
            raise WrongParameters("connection", f"{self.path} is part of the repository itself")
        access = await mounting.check(PurePosixPath(self.path), tools)
        if access.state is AccessState.MISSING or (
            access.state is AccessState.BROKEN and "Not a dir" in access.problem
        ):
            raise WrongParameters("connection", f"there is no directory {self.path}")
        if access.state is not AccessState.USABLE:
            raise NotUsable(self.path, access.problem)
        link = self._link(tools)
        os.makedirs(link.parent, mode=0o755, exist_ok=True)
        try:
            os.symlink(self.path, link)
        except FileExistsError as error:
            if not self.is_connected(tools):
                raise CannotMount(self.path, f"something else lies at {link}") from error

    async def disconnect(self, tools: Tools) -> None:
        if not self.is_connected(tools):
            return
        link = self._link(tools)
        if users := tools.users(link):
            raise InUse(self.path, users)
        await tools.let_go(link)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)

    def is_connected(self, tools: Tools) -> bool:
        try:
            return os.readlink(self._link(tools)) == self.path
        except OSError:
            return False

    def kept(self) -> LocalFolder:
        return self

    def _link(self, tools: Tools) -> PurePosixPath:
        return tools.repository.mount(self.path)
