import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import inside

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.hook_scripts import HookOutcome, RunHooks
from ovis.node.privileged.rules import Rules

POINT = "before_network_setup"


def put(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hooks" / POINT / "10_test"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run(tmp_path: Path) -> HookOutcome:
    async def main() -> HookOutcome:
        async with inside(Rules(PurePosixPath("/"), 0, 0, hooks=PurePosixPath(tmp_path / "hooks"))) as privileged:
            return await privileged.call(RunHooks(point=POINT, payload='{"a": 1}'))

    return asyncio.run(main())


def test_scripts_of_root_change_the_request(tmp_path: Path) -> None:
    assert run(tmp_path) == HookOutcome('{"a": 1}')
    put(tmp_path, 'echo "[$(cat $_hook_json)]" > $_hook_json')
    assert run(tmp_path) == HookOutcome('[{"a": 1}]\n')


def test_a_failure_is_told(tmp_path: Path) -> None:
    put(tmp_path, "echo not this >&2; exit 2")
    assert run(tmp_path) == HookOutcome('{"a": 1}', "10_test", "not this")


@pytest.mark.parametrize("what", ["script", "folder"])
def test_a_script_that_others_can_change_is_not_run(tmp_path: Path, what: str) -> None:
    path = put(tmp_path, f"touch {tmp_path}/ran")
    (path if what == "script" else path.parent).chmod(0o777)
    with pytest.raises(Refused, match="others than root"):
        run(tmp_path)
    assert not (tmp_path / "ran").exists()
