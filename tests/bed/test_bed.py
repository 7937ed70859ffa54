"""The bed itself, as a test outside sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.bed import project, scratch
from deploy.bed.hosts import Hosts
from deploy.bed.line import BedEnded
from deploy.bed.machine import Bed, CommandFailed
from deploy.bed.settings import Mode, Share


@pytest.fixture(scope="module")
def bed(beds: Hosts) -> Bed:
    return beds.start("host", networks=("main", "data"))


def test_a_command_gives_its_exit_code_and_both_outputs(bed: Bed) -> None:
    done = bed.run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    with pytest.raises(CommandFailed, match="ended with 3"):
        bed.run(["sh", "-c", "exit 3"])


def test_what_is_given_is_read_and_much_output_arrives_whole(bed: Bed) -> None:
    data = os.urandom(200_000).hex()
    assert bed.run(["cat"], given=data.encode()).out == data


def test_a_program_that_is_not_there_is_127(bed: Bed) -> None:
    assert bed.run(["nowhere"], check=False).code == 127


def test_a_command_past_its_deadline_is_killed_with_its_children(bed: Bed) -> None:
    with pytest.raises(TimeoutError, match="early"):
        bed.run(["sh", "-c", "echo early; sleep 4321 & sleep 4321"], deadline=2)
    assert bed.run(["pgrep", "-x", "sleep"], check=False).out == ""


def test_a_daemon_left_behind_holds_up_nothing(bed: Bed) -> None:
    assert bed.run(["sh", "-c", "sleep 600 & echo begun"], deadline=20).out == "begun\n"
    bed.run(["pkill", "-x", "sleep"])


def test_writes_to_the_project_stay_in_the_bed(bed: Bed) -> None:
    path = project.ROOT / "written-in-a-bed"
    bed.run(["touch", path])
    assert bed.run(["ls", path]).out
    assert not path.exists()


def test_a_writable_share_is_the_hosts_folder(beds: Hosts, tmp_path: Path) -> None:
    other = beds.start("other", shares=(Share(tmp_path, Mode.WRITABLE, Path("/shared")),))
    other.run(["sh", "-c", "echo seen > /shared/file"])
    assert (tmp_path / "file").read_text() == "seen\n"
    other.stop()
    with pytest.raises(BedEnded):
        other.run(["true"])


def test_hosts_hear_each_other_until_one_is_unplugged(beds: Hosts, bed: Bed) -> None:
    peer = beds.start("peer", networks=("main", "data"), memory_mib=256)
    ping = ["ping", "-c", "1", "-W", "5"]
    for network in ("main", "data"):
        bed.run([*ping, str(beds.address("peer", network))])
    peer.unplug(1)
    assert bed.run([*ping, str(beds.address("peer", "data"))], check=False).code == 1
    bed.run([*ping, str(beds.address("peer"))])
    peer.plug(1)
    bed.run([*ping, str(beds.address("peer", "data"))])


def test_a_disk_that_is_a_file_outlives_its_bed(beds: Hosts, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    first = beds.start("disks", disks=(disk, 1 << 24), memory_mib=256)
    first.shell(
        "echo kept | dd of=/dev/ubdb conv=fsync 2> /dev/null; blockdev --getsize64 /dev/ubdc | grep -x 16777216"
    )
    first.stop()
    assert disk.read_bytes()[:5] == b"kept\n"


KILLED = """
import json, sys, time
from deploy.bed.machine import Bed, BedSettings
bed = Bed(BedSettings("orphan", memory_mib=256, services=()))
bed.start()
print(json.dumps({"keeper": bed._keeper.pid, "folder": str(bed.folder)}), flush=True)
time.sleep(600)
"""


def test_a_killed_owner_leaves_nothing(beds: Hosts) -> None:
    owner = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, cwd=project.ROOT)
    assert owner.stdout
    told = json.loads(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    until = time.monotonic() + 20
    while any(told["folder"] in command_line(pid) for pid in Path("/proc").iterdir() if pid.name.isdigit()):
        assert time.monotonic() < until
        time.sleep(0.05)
    scratch.sweep()
    assert not Path(told["folder"]).exists()


def command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
