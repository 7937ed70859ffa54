import asyncio
import os
from pathlib import Path, PurePosixPath

import pytest
from programs import inside, put

from ovis.node.privileged.access import AccessState, CheckAccess
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.rules import Rules


def state(path: str) -> AccessState:
    async def main() -> AccessState:
        async with inside(Rules(PurePosixPath("/x"), os.geteuid(), os.getegid())) as privileged:
            return (await privileged.call(CheckAccess(path=path))).state

    return asyncio.run(main())


def test_a_folder_of_ones_own_is_usable(tmp_path: Path) -> None:
    assert state(str(tmp_path)) is AccessState.USABLE


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    assert state(str(tmp_path / "nothing")) is AccessState.MISSING


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert state(str(tmp_path / "file")) is AccessState.BROKEN


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("stat: cannot statx '/m': Stale file handle", AccessState.STALE),
        ("stat: cannot statx '/m': Permission denied", AccessState.DENIED),
        ("stat: cannot statx '/m': Input/output error", AccessState.BROKEN),
    ],
)
def test_what_the_kernel_says_is_told_apart(programs: Path, says: str, found: AccessState) -> None:
    put(programs, "stat", f'echo "{says}" >&2; exit 1')
    assert state("/m") is found


def test_only_absolute_paths_are_looked_at() -> None:
    for path in ("relative", "/a/../b"):
        with pytest.raises(Refused):
            state(path)
