import asyncio
from pathlib import Path

import pytest
from fake_host import FakeHost

from ovis.node.privileged.access import Access, AccessState
from ovis.node.storage.connections.errors import CannotMount, InUse, NotUsable, WrongParameters
from ovis.node.storage.connections.local import LocalFolder


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    (tmp_path / "images").mkdir()
    return FakeHost(tmp_path)


def test_a_link_leads_to_the_directory(host: FakeHost) -> None:
    folder, tools = LocalFolder(f"{host.folder}/images"), host.tools()
    asyncio.run(folder.connect(tools))
    asyncio.run(folder.connect(tools))
    link = Path(host.repository.mount(folder.path))
    assert link.readlink() == host.folder / "images"
    assert folder.is_connected(tools)
    asyncio.run(folder.disconnect(tools))
    asyncio.run(folder.disconnect(tools))
    assert not link.is_symlink()
    assert (host.folder / "images").is_dir()


def test_a_directory_in_use_stays(host: FakeHost) -> None:
    folder = LocalFolder(f"{host.folder}/images")
    asyncio.run(folder.connect(host.tools()))
    with pytest.raises(InUse):
        asyncio.run(folder.disconnect(host.tools(users=lambda place: ["a domain"])))


def test_what_cannot_be_used_is_told(host: FakeHost) -> None:
    host.access[f"{host.folder}/images"] = Access(AccessState.DENIED)
    cases = ((NotUsable, f"{host.folder}/images"), (WrongParameters, f"{host.folder}/nothing"))
    for error, path in (*cases, (WrongParameters, str(host.repository.root / "mnt"))):
        with pytest.raises(error):
            asyncio.run(LocalFolder(path).connect(host.tools()))


def test_something_else_at_its_place_is_not_replaced(host: FakeHost) -> None:
    folder = LocalFolder(f"{host.folder}/images")
    place = Path(host.repository.mount(folder.path))
    place.mkdir(parents=True)
    with pytest.raises(CannotMount, match="something else"):
        asyncio.run(folder.connect(host.tools()))
    asyncio.run(folder.disconnect(host.tools()))
    assert place.is_dir()
