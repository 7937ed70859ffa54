import asyncio
import sys
from pathlib import Path

import pytest

from ovis.client import codec
from ovis.client.verbs import HostSetupNetworksArgs
from ovis.node.hooks.errors import HookFailed
from ovis.node.network import setup_hooks

sys.path.insert(0, str(Path(__file__).parents[1] / "hooks"))
from scripts_made import HookFolder

WISH = b"""{"networks": {"blue": {"nic": "eth1", "vlan": "7", "custom": {"ipv4_addrs": "x"}}},
"bondings": {}, "options": {}}"""


def run(made: HookFolder, error: Exception | None = None) -> HostSetupNetworksArgs:
    async def main() -> HostSetupNetworksArgs:
        async with setup_hooks.around(made.hooks, codec.decode_arguments("Host.setupNetworks", WISH)) as wanted:
            if error:
                raise error
            return wanted

    return asyncio.run(main())


def test_scripts_see_and_change_the_request(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    made.python(
        "before_network_setup",
        "d = hooking.read_json(); n = d['request']['networks']['blue']\nassert n['custom'] == {'ipv4_addrs': 'x'}, d\nn['mtu'] = 9000; hooking.write_json(d)",  # noqa: E501
    )
    made.python(
        "after_network_setup",
        "assert hooking.read_json()['request']['networks']['blue']['mtu'] == 9000\nopen(os.path.join(os.path.dirname(sys.argv[0]), 'ok'), 'w')",  # noqa: E501
    )
    wanted = run(made)
    assert wanted.networks is not None
    assert wanted.networks["blue"].mtu == 9000
    assert (tmp_path / "hooks/after_network_setup/ok").exists()


def test_nothing_changes_when_a_script_refuses(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    made.record("after_network_setup", "after_network_setup_fail")
    made.shell("before_network_setup", "exit 2")
    with pytest.raises(HookFailed):
        run(made)
    made.shell("before_network_setup", 'echo \'{"request": {"networks": 7}}\' > $_hook_json')
    with pytest.raises(HookFailed, match="no request"):
        run(made)
    assert made.ran == []


def test_a_failed_change_has_its_own_point(tmp_path: Path) -> None:
    made = HookFolder(tmp_path)
    made.record("after_network_setup", "after_network_setup_fail")
    with pytest.raises(RuntimeError):
        run(made, RuntimeError("no"))
    assert made.ran == ["after_network_setup_fail"]
