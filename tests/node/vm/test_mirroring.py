import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from device_host import DeviceHost, device_host

from ovis.node.errors import NodeError
from ovis.node.vm.mirroring import Mirrors

MAC = "52:54:00:00:00:01"
CARD = {"deviceType": "interface", "alias": "net0"}


class Helper:
    def __init__(self) -> None:
        self.told: list[Mirrors] = []
        self.problem: str = ""

    async def tell(self, mirrors: Mirrors) -> None:
        self.told.append(mirrors)
        if self.problem:
            raise NodeError(self.problem)


def on_host(folder: Path, test: Callable[[DeviceHost, Helper], Awaitable[None]], **more: Any) -> None:
    async def main() -> None:
        async with device_host(folder, **more) as host:
            helper = Helper()
            host.host.vms.mirroring.tell = helper.tell
            await test(host, helper)

    asyncio.run(main())


def card_of(host: DeviceHost) -> str:
    return host.vm.definition.interfaces[0].target


def test_a_card_gets_copies_from_its_update_until_it_gets_none(tmp_path: Path) -> None:
    async def test(host: DeviceHost, helper: Helper) -> None:
        await host.call("VM.updateDevice", params={**CARD, "portMirroring": ["red", "blue"]})
        assert helper.told == [{"red": [card_of(host)], "blue": [card_of(host)]}]
        await host.call("VM.updateDevice", params={**CARD, "network": "other"})
        assert len(helper.told) == 1
        await host.call("VM.updateDevice", params={**CARD, "portMirroring": []})
        assert helper.told[-1] == {}

    on_host(tmp_path, test)


def test_a_failure_is_told_and_tried_again(tmp_path: Path) -> None:
    async def test(host: DeviceHost, helper: Helper) -> None:
        helper.problem = "no bridge red"
        await host.fails(56, "VM.updateDevice", "no bridge red", params={**CARD, "portMirroring": ["red"]})
        helper.problem = ""
        await host.host.vms.sample()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert helper.told[-1] == {"red": [card_of(host)]}
        calls = len(helper.told)
        await host.host.vms.sample()
        assert len(helper.told) == calls

    on_host(tmp_path, test)


def test_what_the_metadata_say_is_made_after_a_start_and_unmade_after_the_end(tmp_path: Path) -> None:
    tag = "ovirt-vm:{}".format
    rows = f"<{tag('portMirroring')}><{tag('network')}>red</{tag('network')}></{tag('portMirroring')}>"
    note = f"<{tag('device')} mac_address='{MAC}'>{rows}</{tag('device')}>"

    async def test(host: DeviceHost, helper: Helper) -> None:
        await host.host.vms.mirroring.bring()
        assert helper.told == [{"red": [card_of(host)]}]
        await host.call("VM.destroy")
        await host.host.vms.mirroring.bring()
        assert helper.told[-1] == {}

    on_host(tmp_path, test, metadata=note)
