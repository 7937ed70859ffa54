import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scripts_made import HookFolder

from ovis.node.hooks import runner
from ovis.node.hooks.errors import HookFailed
from ovis.node.hooks.hooks import Hooks
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.hook_scripts import HookOutcome

DOMAIN = "<domain><name>one</name></domain>"


@pytest.fixture
def made(tmp_path: Path) -> HookFolder:
    return HookFolder(tmp_path)


def run(made: HookFolder, point: str = "before_vm_start", payload: str = DOMAIN, **options: Any) -> str:
    return asyncio.run(made.hooks.run(point, payload, **options))


def written(made: HookFolder, variables: Mapping[str, str]) -> dict[str, str]:
    made.shell("before_vm_start", f"env -0 > {made.folder}/environment")
    run(made, variables=variables, vm_id="the-id")
    pairs = (made.folder / "environment").read_bytes().decode().rstrip("\0").split("\0")
    return dict(pair.split("=", 1) for pair in pairs)


def test_without_scripts_the_payload_is_as_it_was(made: HookFolder) -> None:
    assert run(made) == DOMAIN
    assert not (made.folder / "run").exists()


def test_a_script_changes_the_domain(made: HookFolder) -> None:
    made.python(
        "before_vm_start",
        "d = hooking.read_domxml(); d.documentElement.setAttribute('id', '7')\nhooking.write_domxml(d)",
    )
    assert 'id="7"' in run(made)
    assert os.listdir(made.folder / "run") == []


def test_scripts_see_what_those_before_them_wrote(made: HookFolder) -> None:
    made.shell("before_vm_start", "echo '<a/>' > $_hook_domxml", "10_first")
    made.shell("before_vm_start", 'grep -q "<a/>" $_hook_domxml && echo "<b/>" > $_hook_domxml', "20_second")
    assert run(made) == "<b/>\n"


def test_the_environment_is_bare_and_has_the_properties(made: HookFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_AGENT", "1")
    found = written(made, {"pincpu": "0-3", "odd_name": "ä\n'"})
    assert (found["vmId"], found["pincpu"], found["odd_name"]) == ("the-id", "0-3", "ä\n'")
    assert "SECRET_OF_THE_AGENT" not in found


def test_a_property_cannot_change_how_programs_start(made: HookFolder) -> None:
    hostile = {"LD_PRELOAD": "/x.so", "PATH": "/x", "PYTHONPATH": "/x", "_hook_domxml": "/x", "a=b": "", "n": "\0"}
    found = written(made, {**hostile, "long": "x" * 100_000, "surrogate": "\ud800"})
    assert not {"LD_PRELOAD", "a", "a=b", "n", "long", "surrogate"} & found.keys()
    assert "/x" not in found.values()


def test_1_lets_the_next_script_run_and_2_does_not(made: HookFolder) -> None:
    made.shell("before_vm_start", f"echo a >> {made.folder}/ran; echo bad >&2; exit 1", "10")
    made.shell("before_vm_start", f"echo b >> {made.folder}/ran; exit 2", "20")
    made.shell("before_vm_start", f"echo c >> {made.folder}/ran", "30")
    with pytest.raises(HookFailed, match="before_vm_start/10 refused: bad"):
        run(made)
    assert made.ran == ["a", "b"]


def test_exit_hook_says_why(made: HookFolder) -> None:
    made.python("before_vm_start", "hooking.exit_hook('no such network')")
    with pytest.raises(HookFailed, match="no such network"):
        run(made)


@pytest.mark.parametrize("point", ["after_vm_start", "before_vm_destroy", "before_vm_set_ticket"])
def test_a_failure_where_nothing_can_be_refused_is_only_logged(
    made: HookFolder, point: str, caplog: pytest.LogCaptureFixture
) -> None:
    made.shell(point, "echo oh >&2; exit 2")
    assert run(made, point) == DOMAIN
    assert "oh" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "kill -SEGV $$",
        "exit 3",
        "rm $_hook_domxml",
        "rm $_hook_domxml; mkfifo $_hook_domxml",
        "rm $_hook_domxml; ln -s /etc/passwd $_hook_domxml",
        "truncate -s 1G $_hook_domxml",
        "printf '\\377' > $_hook_domxml",
        "exec cat /dev/zero",
        "exec cat /dev/zero >&2",
    ],
)
def test_what_goes_wrong_refuses_only_this_operation(made: HookFolder, text: str) -> None:
    made.shell("before_vm_start", text)
    with pytest.raises(HookFailed):
        run(made)
    assert os.listdir(made.folder / "run") == []


def test_a_script_that_cannot_be_started_refuses(made: HookFolder) -> None:
    made.put("before_vm_start", "#!/no/such/interpreter\n", "10")
    with pytest.raises(HookFailed):
        run(made)


def test_a_script_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    made = HookFolder(tmp_path, seconds=2.0)
    made.shell("before_vm_start", f"sleep 100 & echo $! > {tmp_path}/child; wait")
    began = time.monotonic()
    with pytest.raises(HookFailed, match="had not ended"):
        run(made)
    assert time.monotonic() - began < 30
    _wait_for_end(int((tmp_path / "child").read_text()))


def test_a_child_that_stays_behind_does_not_hold_the_operation(made: HookFolder) -> None:
    made.shell("before_vm_start", f"sleep 100 & echo $! > {made.folder}/child")
    run(made)
    _wait_for_end(int((made.folder / "child").read_text()))


def test_what_a_killed_agent_left_goes_with_the_first_run(made: HookFolder) -> None:
    left = made.folder / "run/old"
    left.mkdir(parents=True)
    made.shell("before_vm_start", "true")
    run(made)
    assert not left.exists()


def test_the_payload_is_read_by_nobody_else(made: HookFolder) -> None:
    made.shell("before_vm_start", f"stat -c %a $(dirname $_hook_domxml) > {made.folder}/mode")
    run(made)
    assert (made.folder / "mode").read_text().strip() == "700"


def test_json_is_handed_over_and_read_back(made: HookFolder) -> None:
    made.python("after_disk_prepare", "d = hooking.read_json(); d['path'] = '/b'; hooking.write_json(d)")
    assert asyncio.run(made.hooks.run_json("after_disk_prepare", {"path": "/a", "n": 1})) == {"path": "/b", "n": 1}
    made.shell("after_disk_prepare", "echo '{' > $_hook_json")
    with pytest.raises(HookFailed, match="no JSON"):
        asyncio.run(made.hooks.run_json("after_disk_prepare", {"path": "/a"}))
    made.shell("after_hostdev_list_by_caps", "echo '{' > $_hook_json")
    assert asyncio.run(made.hooks.run_json("after_hostdev_list_by_caps", {"a": 1})) == {"a": 1}


def test_nothing_of_the_runner_is_loaded_without_scripts() -> None:
    import subprocess
    import sys

    code = "import sys, asyncio; from ovis.node.hooks.hooks import Hooks\nasyncio.run(Hooks().run('before_vm_start'))\n"
    code += "print(*[name for name in sys.modules if name.startswith('ovis.node.hooks')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert runner.__name__ not in done.stdout.split()


def _wait_for_end(number: int) -> None:
    """A killed orphan is gone when the kernel has got round to it."""
    until = time.monotonic() + 20
    while _is_alive(number):
        assert time.monotonic() < until
        time.sleep(0.01)


def _is_alive(number: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


class HelperOfRoot:
    def __init__(self, outcome: HookOutcome | Exception) -> None:
        self.outcome = outcome
        self.requests: list[Any] = []

    async def call(self, request: Any, *, seconds: float | None = None, told: object = None) -> Any:
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_scripts_that_expect_root_run_in_the_helper(made: HookFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 36)
    made.shell("before_network_setup", "echo '[2]' > $_hook_json")
    made.shell("before_vm_start", "echo '<b/>' > $_hook_domxml")
    helper = HelperOfRoot(HookOutcome("[3]"))
    hooks = Hooks(made.settings, lambda: helper)
    assert asyncio.run(hooks.run_json("before_network_setup", [1])) == [3]
    assert [(one.point, one.payload) for one in helper.requests] == [("before_network_setup", "[1]")]
    assert asyncio.run(hooks.run("before_vm_start", "<a/>")) == "<b/>\n"
    for outcome in (HookOutcome("[3]", "10_test", "no"), Refused("the hook", "others can change it")):
        helper.outcome = outcome
        with pytest.raises(HookFailed):
            asyncio.run(hooks.run_json("before_network_setup", [1]))
    made.shell("after_network_setup", "true")
    assert asyncio.run(hooks.run_json("after_network_setup", [1])) == [1]
