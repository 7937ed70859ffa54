import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged.adapters import RunAdapter
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Secret
from ovis.node.privileged.rules import Rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "adapters", "managedvolume-helper-acme", 'echo "$1: $(cat)"')
    put(tmp_path / "adapters", "other", "echo no")
    return tmp_path / "adapters"


def run(folder: Path, adapter: str = "acme") -> CommandResult:
    async def main() -> CommandResult:
        async with inside(Rules(PurePosixPath("/"), 0, 0, adapters=PurePosixPath(folder))) as privileged:
            return await privileged.call(RunAdapter(adapter=adapter, action="detach", data=Secret('{"a": 1}')))

    return asyncio.run(main())


def test_an_adapter_gets_its_data_on_standard_input(folder: Path) -> None:
    assert run(folder).output == b'detach: {"a": 1}\n'


@pytest.mark.parametrize("name", ["../other", "", "a b", "-x", "acme/../acme"])
def test_only_names_lead_to_adapters(folder: Path, name: str) -> None:
    with pytest.raises(Refused):
        run(folder, name)


def test_an_adapter_that_is_not_installed(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(folder, "other")


@pytest.mark.parametrize("place", [".", "managedvolume-helper-acme"])
def test_what_others_can_change_is_not_run(folder: Path, place: str) -> None:
    (folder / place).chmod(0o777)
    with pytest.raises(Refused, match="can change"):
        run(folder)
