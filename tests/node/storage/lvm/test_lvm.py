"""Reading and changing groups: repetition, locks, failures."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from ovis.node.errors import BadParameter
from ovis.node.privileged.errors import HelperLost, TookTooLong
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.lvm import groups
from ovis.node.storage.lvm.errors import DoubleGroup, GroupRemoveFailed, LvmFailed, NoSuchGroup, UnreadableReport
from ovis.node.storage.lvm.isolation import Isolation, isolation
from ovis.node.storage.lvm.lvm import PAUSES, Lvm
from ovis.node.storage.lvm.memory import GroupMemory
from ovis.node.storage.lvm.reports import read_groups
from ovis.node.storage.lvm.runner import ConfigValue

NAME = "9d8c7b6a-5f4e-4d3c-b2a1-0f1e2d3c4b5a"
ROW = (
    '{"vg_name":"NAME", "vg_uuid":"UUID", "vg_attr":"wz--n-", "vg_size":"1073741824", "vg_free":"0",'
    ' "vg_extent_size":"134217728", "vg_extent_count":"8", "vg_free_count":"0", "vg_tags":"a,b", "vg_seqno":"4",'
    ' "vg_mda_size":"134217728", "vg_mda_free":"67106304", "vg_missing_pv_count":"0"}'
)
DISK = (
    '{"pv_name":"[unknown]", "pv_uuid":"P", "pv_size":"5", "pv_free":"", "dev_size":"0 ", "pe_start":"1",'
    ' "pv_pe_count":"8", "pv_pe_alloc_count":"8", "pv_mda_count":"0", "pv_mda_used_count":"0", "pv_missing":"missing"}'
)
VOLUMES = (
    '{"lv_name":"ids", "lv_uuid":"L", "lv_size":"134217728", "lv_tags":"", "lv_attr":"-wi-XX----"},'
    '{"lv_name":"[pvmove0]", "lv_uuid":"M", "lv_size":"134217728", "lv_tags":"", "lv_attr":"p-C-XX----"}'
)


def complete(uuid: str = "u") -> CommandResult:
    """With its disk."""
    seen = told(uuid).output.replace(b"[unknown]", b"/dev/mapper/disk").replace(b'"missing"', b'""')
    return CommandResult(0, seen)


def partial() -> CommandResult:
    return CommandResult(0, complete().output.replace(b'"vg_missing_pv_count":"0"', b'"vg_missing_pv_count":"1"'))


def told(*uuids: str) -> CommandResult:
    parts = (f'{{"vg": [{ROW}], "pv": [{DISK}], "lv": [{VOLUMES}], "seg": []}}'.replace("UUID", uuid) for uuid in uuids)
    return CommandResult(0, f'{{"report": [{",".join(parts)}]}}'.replace("NAME", NAME).encode())


def failed(said: str) -> CommandResult:
    return CommandResult(5, b"", said.encode())


class Script:
    """Answers in turn, the last one for ever."""

    def __init__(self, *answers: CommandResult | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Sequence[str]] = []
        self.devices: list[tuple[str, ...]] = []
        self.pauses: list[float] = []

    async def run(
        self, arguments: Sequence[str], *, config: Mapping[str, ConfigValue], devices: Sequence[str], seconds: float
    ) -> CommandResult:
        self.asked.append(arguments)
        self.devices.append(tuple(devices))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @property
    def lvm(self) -> Lvm:
        return Lvm(self, Isolation(), pause=self.pause)


def test_a_report_becomes_values() -> None:
    (group,) = read_groups(told("u").output)
    assert (group.tags, group.sequence, group.size) == ({"a", "b"}, 4, 1 << 30)
    assert list(group.volumes) == ["ids"]
    assert (group.devices[0].is_missing, group.devices[0].free, group.devices[0].group_uuid) == (True, 0, "u")
    assert [group.rounded(size) >> 20 for size in (0, 1, 128 << 20, (128 << 20) + 1)] == [128, 128, 128, 256]


@pytest.mark.parametrize(
    "torn", [b"", b"{", b"[]", b'{"report": [{"vg": [{"vg_name": "x"}]}]}', b'{"report": [{"vg": [7]}]}']
)
def test_an_odd_report_is_refused(torn: bytes) -> None:
    with pytest.raises(UnreadableReport):
        read_groups(torn)


def test_a_read_that_meets_another_hosts_write_is_repeated() -> None:
    script = Script(failed("checksum error"), CommandResult(0, b"{"), HelperLost("RunLvm"), told("u"))
    assert asyncio.run(script.lvm.group(NAME)).uuid == "u"
    assert tuple(script.pauses) == PAUSES


def test_a_missing_group_is_told_after_all_tries() -> None:
    script = Script(failed(f'Volume group "{NAME}" not found'))
    with pytest.raises(NoSuchGroup):
        asyncio.run(script.lvm.group(NAME))
    assert len(script.asked) == len(PAUSES) + 1


def test_other_failures_say_what_lvm_said() -> None:
    with pytest.raises(LvmFailed, match="no such device or so"):
        asyncio.run(Script(failed("no such\n  device or so")).lvm.groups())


def test_two_groups_of_one_name_are_not_guessed_between() -> None:
    with pytest.raises(DoubleGroup):
        asyncio.run(Script(told("u", "v")).lvm.group(NAME))


def test_the_first_read_and_one_after_a_failed_change_wait_for_what_still_runs() -> None:
    async def main() -> None:
        script = Script(told("u"), told("u"), TookTooLong("RunLvm", 1), told("u"), told("u"))
        lvm = script.lvm
        await lvm.group(NAME)
        await lvm.group(NAME)
        with pytest.raises(TookTooLong):
            await change(lvm)
        await lvm.group(NAME)
        await lvm.group(NAME)
        reads = [words for words in script.asked if words[0] == "fullreport"]
        assert ["--readonly" in words for words in reads] == [False, True, False, True]

    async def change(lvm: Lvm) -> None:
        async with lvm.changing(NAME):
            await lvm.change(("vgremove", NAME), tried="a test", failure=GroupRemoveFailed)

    asyncio.run(main())


def test_only_the_disks_of_the_group_are_looked_at_once_they_are_known() -> None:
    async def main() -> None:
        script = Script(complete(), complete(), partial(), complete(), failed("no such disk"), complete())
        lvm = script.lvm
        for _ in range(4):
            await lvm.group(NAME)
        own, everything = ("/dev/mapper/disk",), ()
        assert script.devices == [everything, own, own, everything, own, everything]
        assert not script.pauses

    asyncio.run(main())


def test_changes_of_one_group_follow_each_other() -> None:
    async def main() -> None:
        lvm, order = Script(told("u")).lvm, []

        async def work(number: int) -> None:
            async with lvm.changing(NAME):
                order.append(number)
                await asyncio.sleep(0)
                order.append(number)

        await asyncio.gather(*(work(number) for number in range(3)))
        assert order == [0, 0, 1, 1, 2, 2]

    asyncio.run(main())


def test_what_is_read_is_shared_only_by_those_who_came_before_it_began() -> None:
    async def main() -> None:
        script = Script(told("u"))
        memory = GroupMemory(script.lvm)
        first = asyncio.create_task(memory.read(NAME))
        await asyncio.sleep(0)
        others = [asyncio.create_task(memory.read(NAME)) for _ in range(3)]
        await asyncio.gather(first, *others)
        assert 1 <= len(script.asked) <= 2
        await memory.read(NAME)
        assert len(script.asked) <= 3
        await memory.close()

    asyncio.run(main())


def test_only_named_devices_are_seen() -> None:
    config = isolation(()).config()
    assert config["devices/filter"] == ["a|^/dev/disk/by-id/dm-uuid-mpath-|", "r|.*|"]
    assert isolation(["^/dev/loop"]).config()["devices/filter"] == ["a|^/dev/loop|", "r|.*|"]
    for odd in ("a|b", 'x"', "x\\", ""):
        if odd:
            with pytest.raises(BadParameter):
                isolation([odd])


def test_a_command_that_a_guest_waits_for_lists_its_own_disks_alone() -> None:
    config = isolation(()).narrowed(["/dev/mapper/360a98", "/dev/loop1"])
    assert config["devices/filter"] == ["a|^/dev/mapper/360a98$|", "a|^/dev/loop1$|", "r|.*|"]
    assert config["devices/scan"] == ["/dev", "/dev/mapper"]
    for odd in ([], ["/dev/mapper/a.b"], ["/dev/mapper/x", "[unknown]"], ["/dev/a|b"]):
        assert isolation(()).narrowed(odd) == isolation(()).config()


def test_a_new_manager_of_groups_forgets_what_it_knew() -> None:
    async def main() -> None:
        memory = GroupMemory(Script(told("u")).lvm)
        group = await memory.read(NAME)
        assert memory.last(NAME) is group
        memory.forget_all()
        assert memory.last(NAME) is None

    asyncio.run(main())


def test_metadata_stay_on_the_first_disk() -> None:
    (group,) = read_groups(told("u").output)
    with pytest.raises(groups.ForbiddenDevice):
        groups.metadata_device(group)
