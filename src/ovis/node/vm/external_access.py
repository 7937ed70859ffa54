"""Who reads and writes the files of TPMs and UEFI variables: the agent itself as root, otherwise the root helper.

libvirt's folders belong to root, and what is in them to the users of QEMU and swtpm.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ovis.node.vm import external_files
from ovis.node.vm.external_files import Found, Signature
from ovis.node.vm.external_kinds import Kind, Unreadable
from ovis.node.vm.settings import VmSettings

if TYPE_CHECKING:
    from ovis.node.hypervisor.pools import Pool
    from ovis.node.privileged.client import Root

DEADLINE = 25.0
SENT_MOST = 960 << 10  # below privileged.protocol.REQUEST_LIMIT; variables of a PC have 540 KiB


class StateFiles(Protocol):
    """What can go wrong beside what is said: OSError, HypervisorError (no thread is free), NodeError of the helper."""

    async def read(
        self, kind: Kind, place: Path, *, rests: bool, force: bool = False, known: Signature = ()
    ) -> Found | None:
        """None: it is as it was when `known` was read. Raises Unreadable."""
        ...

    async def write(self, kind: Kind, place: Path, files: Mapping[str, bytes]) -> None:
        """A crash leaves the former or the new state."""
        ...

    async def remove(self, kind: Kind, place: Path) -> None:
        """Safe to repeat."""
        ...


class OwnFiles:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(
        self, kind: Kind, place: Path, *, rests: bool, force: bool = False, known: Signature = ()
    ) -> Found | None:
        def look() -> Found | None:
            if known and external_files.signature(place) == known:
                return None
            return external_files.read(place, rests=rests, force=force)

        return await self._pool.run(f"read the {kind.value} data", look, deadline=DEADLINE)

    async def write(self, kind: Kind, place: Path, files: Mapping[str, bytes]) -> None:
        if kind is Kind.NVRAM:
            work = partial(external_files.replace_file, place, next(iter(files.values())))
        else:
            work = partial(external_files.replace_folder, place, files)
        await self._pool.run(f"hand the {kind.value} data back", work, deadline=DEADLINE)

    async def remove(self, kind: Kind, place: Path) -> None:
        work = partial(external_files.remove, place)
        await self._pool.run(f"remove the {kind.value} data", work, deadline=DEADLINE)


class HelpersFiles:
    """`own`: for variables that lie elsewhere than in libvirt's folder, in a place of the VM's owner."""

    def __init__(self, root: Callable[[], Root], settings: VmSettings, own: OwnFiles) -> None:
        self._root = root
        self._folders = {Kind.TPM: settings.swtpm_folder, Kind.NVRAM: settings.nvram_folder}
        self._own = own

    async def read(
        self, kind: Kind, place: Path, *, rests: bool, force: bool = False, known: Signature = ()
    ) -> Found | None:
        from ovis.node.privileged.guest_state import ReadGuestState

        if not self._is_libvirts(kind, place):
            return await self._own.read(kind, place, rests=rests, force=force, known=known)
        request = ReadGuestState(kind=kind.value, name=place.name, rests=rests, force=force, known=known)
        answer = await self._root().call(request)
        if answer.problem:
            raise Unreadable(answer.problem)
        return Found(answer.files, answer.signature) if answer.files else None

    async def write(self, kind: Kind, place: Path, files: Mapping[str, bytes]) -> None:
        from ovis.node.privileged.guest_state import WriteGuestState

        if not self._is_libvirts(kind, place):
            await self._own.write(kind, place, files)
            return
        named = {"": next(iter(files.values()))} if kind is Kind.NVRAM else dict(files)
        if sum(map(len, named.values())) > SENT_MOST:
            raise OSError(errno.EFBIG, "it is larger than what is sent to the root helper", str(place))
        await self._root().call(WriteGuestState(kind=kind.value, name=place.name, files=named))

    async def remove(self, kind: Kind, place: Path) -> None:
        from ovis.node.privileged.guest_state import RemoveGuestState

        if self._is_libvirts(kind, place):
            await self._root().call(RemoveGuestState(kind=kind.value, name=place.name))
        else:
            await self._own.remove(kind, place)

    def _is_libvirts(self, kind: Kind, place: Path) -> bool:
        return place.parent == self._folders[kind]
