"""TPM contents and UEFI variables in folders as libvirt has them, by a helper within this process."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath

import pytest
from programs import inside

from ovis.node.hypervisor.pools import Pool
from ovis.node.privileged.client import Privileged
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.guest_state import WriteGuestState
from ovis.node.privileged.rules import Rules
from ovis.node.vm.external_access import HelpersFiles, OwnFiles
from ovis.node.vm.external_kinds import Kind, Unreadable
from ovis.node.vm.settings import VmSettings

VM = "11111111-2222-4333-8444-555555555555"
FILES = {Kind.TPM: {"tpm2/tpm2-00.permall": b"secret"}, Kind.NVRAM: {"": b"variables"}}


def place(folder: Path, kind: Kind) -> Path:
    return folder / "swtpm" / VM if kind is Kind.TPM else folder / "nvram" / "one_VARS.fd"


@asynccontextmanager
async def helped(folder: Path) -> AsyncIterator[tuple[HelpersFiles, Privileged]]:
    rules = Rules(
        repository=PurePosixPath("/nowhere"),
        user=0,
        group=0,
        swtpm=PurePosixPath(folder / "swtpm"),
        nvram=PurePosixPath(folder / "nvram"),
    )
    settings = dataclasses.replace(VmSettings(), swtpm_folder=folder / "swtpm", nvram_folder=folder / "nvram")
    pool = Pool("test", threads=1)
    async with inside(rules) as root:
        yield HelpersFiles(lambda: root, settings, OwnFiles(pool)), root
    pool.close()


@pytest.mark.parametrize("kind", Kind)
def test_state_is_written_read_known_again_and_removed(tmp_path: Path, kind: Kind) -> None:
    async def main() -> None:
        async with helped(tmp_path) as (files, _):
            with pytest.raises(Unreadable, match="is not there"):
                await files.read(kind, place(tmp_path, kind), rests=True)
            await files.write(kind, place(tmp_path, kind), FILES[kind])
            found = await files.read(kind, place(tmp_path, kind), rests=True)
            assert found is not None
            assert list(found.files.values()) == list(FILES[kind].values())
            assert await files.read(kind, place(tmp_path, kind), rests=True, known=found.signature) is None
            await files.remove(kind, place(tmp_path, kind))
            await files.remove(kind, place(tmp_path, kind))
            assert not place(tmp_path, kind).exists()

    asyncio.run(main())


def test_variables_elsewhere_are_the_agents_own_business(tmp_path: Path) -> None:
    async def main() -> None:
        async with helped(tmp_path) as (files, _):
            await files.write(Kind.NVRAM, tmp_path / "mine/vars.fd", {"": b"mine"})
            found = await files.read(Kind.NVRAM, tmp_path / "mine/vars.fd", rests=True)
            assert found is not None
            assert list(found.files.values()) == [b"mine"]

    asyncio.run(main())


def test_a_link_is_neither_read_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "nvram").mkdir()
    shadow = tmp_path / "shadow"
    shadow.write_bytes(b"root")
    place(tmp_path, Kind.NVRAM).symlink_to(shadow)

    async def main() -> None:
        async with helped(tmp_path) as (files, _):
            with pytest.raises(Unreadable):
                await files.read(Kind.NVRAM, place(tmp_path, Kind.NVRAM), rests=True)
            await files.remove(Kind.NVRAM, place(tmp_path, Kind.NVRAM))
            assert shadow.exists()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["a/../../b", "a//b", "./a", "a/", "a\0"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with helped(tmp_path) as (_, root):
            with pytest.raises(Refused):
                await root.call(WriteGuestState(kind="tpm", name=VM, files={name: b"x"}))

    asyncio.run(main())
    assert not (tmp_path / "swtpm").exists()
