"""The points of a migration on both hosts."""

import asyncio
import sys
from pathlib import Path

import pytest
from two_hosts import TwoHosts, two_hosts

sys.path.insert(0, str(Path(__file__).parents[2] / "hooks"))
from scripts_made import HookFolder

CARD = (
    "<ovirt-vm:device mac_address='52:54:00:00:00:01'><ovirt-vm:custom><ovirt-vm:queues>4</ovirt-vm:queues>"
    "</ovirt-vm:custom></ovirt-vm:device>"
)


def folders(tmp_path: Path) -> dict[str, HookFolder]:
    for name in ("hooks-a", "hooks-b"):
        (tmp_path / name).mkdir()
    return {name: HookFolder(tmp_path / f"hooks-{name}") for name in "ab"}


async def moved(hosts: TwoHosts) -> None:
    await hosts.leave()
    await hosts.arrived()


def test_both_hosts_have_their_points(tmp_path: Path) -> None:
    made = folders(tmp_path)
    for name, side in (("a", "source"), ("b", "destination")):
        made[name].record(*(f"{w}_{what}_migrate_{side}" for what in ("device", "vm") for w in ("before", "after")))

    async def main() -> None:
        async with two_hosts(tmp_path, metadata=CARD, hooks={n: f.hooks for n, f in made.items()}) as hosts:
            await moved(hosts)
            await hosts.until("all hooks ran", lambda: len(made["a"].ran) == len(made["b"].ran) == 4)

    asyncio.run(main())
    for name, side in (("a", "source"), ("b", "destination")):
        assert made[name].ran == [
            f"{w}_{what}_migrate_{side}" for w in ("before", "after") for what in ("device", "vm")
        ]


@pytest.mark.parametrize(("name", "side"), [("a", "source"), ("b", "destination")])
def test_either_host_can_refuse(tmp_path: Path, name: str, side: str) -> None:
    made = folders(tmp_path)
    made[name].shell(f"before_vm_migrate_{side}", "echo not today >&2; exit 2")

    async def main() -> None:
        async with two_hosts(tmp_path, hooks={n: f.hooks for n, f in made.items()}) as hosts:
            vm = await hosts.leave()
            await hosts.stayed()
            assert vm.departure is not None
            assert "not today" in (vm.departure.failure or "")

    asyncio.run(main())


def test_options_for_qemu_travel_between_the_libvirts_only(tmp_path: Path) -> None:
    made = folders(tmp_path)
    made["a"].python(
        "before_vm_start",
        "t = open(os.environ['_hook_domxml']).read().replace('</domain>', \"<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-S'/></commandline></domain>\")\nopen(os.environ['_hook_domxml'], 'w').write(t)",  # noqa: E501
    )

    async def main() -> None:
        async with two_hosts(tmp_path, hooks={"a": made["a"].hooks}) as hosts:
            assert "-S" in hosts.a.vms.find("11111111-2222-4333-8444-555555555555").xml
            await moved(hosts)

    asyncio.run(main())
