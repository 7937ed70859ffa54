import asyncio
from pathlib import Path, PurePosixPath

import pytest
from programs import put

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.lvm import RunLvm, checked, run_lvm
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.work import Work

GROUP = "5e4a1c8e-0c9c-4f6b-8d7d-6c2b5f7d9a10"


@pytest.mark.parametrize(
    "line",
    [
        "lvs",
        "vgs --reportformat json --units b --nosuffix -o vg_name,vg_tags @RHAT_storage_domain",
        "lvs root/swap",  # reading the host's own groups is allowed
        "pvs --readonly /dev/mapper/360a98000",
        f"vgcreate --physicalextentsize 128m --metadatasize 128m {GROUP} /dev/mapper/360a98000 /dev/loop1",
        f"lvcreate --contiguous n -L 128m -n metadata --addtag IU_x -Zy -ay {GROUP} /dev/loop1:0-99",
        f"lvchange --deltag OVIRT_VOL_INITIALIZING --addtag=MD_4 {GROUP}/vol",
        f"lvremove -f /dev/{GROUP}/vol {GROUP}/other",
        f"vgchange --addtag MDT_DESCRIPTION=a&58&b {GROUP}",
        "pvcreate --metadatacopies 2 /dev/mapper/360a98000",
    ],
)
def test_what_storage_domains_need_is_allowed(line: str) -> None:
    assert checked(RunLvm(arguments=tuple(line.split()))) == line.split()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "no subcommand"),
        ("lvconvert x", "not one of the subcommands"),
        ("vgremove root", "no UUID"),
        ("lvremove root/swap", "no UUID"),
        ("lvremove /dev/root/swap", "no UUID"),
        ("lvremove /dev/mapper/root-swap", "no UUID"),
        (f"lvremove {GROUP}/vol root/swap", "no UUID"),
        (f"lvremove {GROUP}/../x", "no UUID"),
        ("lvchange @tag", "no UUID"),
        ("vgchange -an", "one by one"),
        ("vgchange --select all", "one by one"),
        (f"lvextend --resizefs -L +1g {GROUP}/x", "--resizefs"),
        ("lvs --config log/file=/etc/passwd", "--config"),
        ("lvs --profile x", "--profile"),
        ("lvs -ovg_name -hidden", "-hidden"),
        (f"lvcreate {GROUP} -n", "lacks its value"),
        (f"lvcreate {GROUP} -n a\nb", "the value"),
        ("pvcreate /etc/passwd", "below /dev"),
        ("pvcreate /dev/../etc/passwd", "below /dev"),
        ("pvcreate --restorefile /etc/x /dev/sda", "--restorefile"),
    ],
)
def test_everything_else_is_refused(line: str, problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        checked(RunLvm(arguments=tuple(line.split(" ")) if line else ()))


def test_settings_are_written_as_lvm_reads_them() -> None:
    request = RunLvm(
        arguments=("lvs",),
        config={"devices/filter": ['a|^/dev/mapper/"x"$|', "r|.*|"], "global/use_lvmpolld": 0},
        devices=("/dev/loop1",),
        devices_file="",
    )
    assert checked(request) == [
        "lvs",
        "--config",
        'devices/filter=["a|^/dev/mapper/\\"x\\"$|", "r|.*|"] global/use_lvmpolld=0',
        *("--devices", "/dev/loop1", "--devicesfile", ""),
    ]


def test_a_setting_that_could_run_a_program_is_refused() -> None:
    with pytest.raises(Refused, match="thin_check_executable"):
        checked(RunLvm(arguments=("lvs",), config={"global/thin_check_executable": "/tmp/x"}))


def test_lvm_reads_settings_of_ours_and_not_the_hosts(programs: Path) -> None:
    put(programs, "lvm", 'cat "$LVM_SYSTEM_DIR/lvm.conf"')
    result = asyncio.run(run_lvm(RunLvm(arguments=("vgs",)), Work(Rules(PurePosixPath("/rhev"), 36, 36))))
    assert b"reserved_memory" in result.output
