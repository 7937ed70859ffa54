"""On libvirt's test driver, which needs no daemon; tests/real has a real other host."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable

import pytest

from ovis.node.hypervisor.errors import HypervisorError, HypervisorLost
from ovis.node.hypervisor.external import Login
from ovis.node.hypervisor.libvirt_external import LibvirtExternal
from ovis.node.hypervisor.states import DomainState

TEST = Login("test:///default")


def run(test: Callable[[LibvirtExternal], Awaitable[None]]) -> None:
    async def main() -> None:
        external = LibvirtExternal()
        try:
            async with asyncio.timeout(30):
                await test(external)
        finally:
            external.close()

    asyncio.run(main())


def test_vms_are_listed_and_described() -> None:
    async def test(external: LibvirtExternal) -> None:
        assert await external.names(TEST) == ["test"]
        (found,) = await external.domains(TEST)
        assert (found.name, found.state, found.has_snapshots) == ("test", DomainState.RUNNING, False)
        assert found.xml.startswith("<domain type='test'")
        assert await external.domains(TEST, ["unknown"]) == []

    run(test)


def test_another_side_that_cannot_be_reached_says_so_without_the_password() -> None:
    async def test(external: LibvirtExternal) -> None:
        login = Login("qemu+unix:///system?socket=/run/no/geheim", "root", "geheim")
        assert "'geheim'" not in repr(login)
        with pytest.raises(HypervisorLost) as caught:
            await external.names(login)
        assert "geheim" not in str(caught.value)

    run(test)


def test_a_disk_outside_of_storage_pools_cannot_be_fetched() -> None:
    async def test(external: LibvirtExternal) -> None:
        with tempfile.TemporaryFile() as file, pytest.raises(HypervisorError, match=r"storage pool|storage vol"):
            await external.download(TEST, "/no/such/disk", file.fileno(), limit=1, on_bytes=lambda _: None)

    run(test)
