import subprocess
from pathlib import Path

import pytest

from ovis.node.hypervisor import qemu_process

ID = "0b5e77ed-0000-4000-8000-000000000001"
QEMU = ["/usr/bin/qemu-system-x86_64", "-name", "guest=one", "-uuid", ID]


def proc(folder: Path, **processes: list[str]) -> Path:
    for number, words in processes.items():
        (folder / number.removeprefix("p")).mkdir()
        (folder / number.removeprefix("p") / "cmdline").write_bytes(b"\0".join(w.encode() for w in words) + b"\0")
    (folder / "self").mkdir()
    return folder


def test_only_qemu_of_this_domain_is_found(tmp_path: Path) -> None:
    other = [*QEMU[:-1], ID.replace("1", "2")]
    files = proc(tmp_path, p10=QEMU, p11=other, p12=["grep", "-uuid", ID], p13=["/usr/bin/qemu-img", ID], p14=[])
    assert qemu_process.find(ID, files) == [10]
    assert qemu_process.may_run(ID, files)


@pytest.mark.parametrize(("numbers", "runs"), [("10", True), ("10\t3", False)])
def test_one_of_an_inner_machine_is_not_ours(tmp_path: Path, numbers: str, runs: bool) -> None:
    files = proc(tmp_path, p10=QEMU)
    (files / "10/status").write_text(f"Name:\tqemu\nNSpid:\t{numbers}\n")
    assert qemu_process.runs(ID, files) is runs
    assert not qemu_process.runs(ID.replace("1", "2"), files)


@pytest.mark.parametrize(("words", "may_run"), [(["/usr/sbin/libvirtd", "-d"], False), (["bash"], True)])
def test_it_does_not_run_only_where_libvirt_itself_is_seen(tmp_path: Path, words: list[str], may_run: bool) -> None:
    assert qemu_process.may_run(ID, proc(tmp_path, p10=words)) is may_run


def test_the_right_process_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "qemu-system-test"
    program.symlink_to("/bin/sh")
    wanted, other = (
        subprocess.Popen([program, "-c", "read _", "-uuid", vm_id], stdin=subprocess.PIPE)
        for vm_id in (ID, ID.replace("1", "2"))
    )
    try:
        assert qemu_process.kill(ID)
        assert wanted.wait(timeout=10) == -9
        assert other.poll() is None
        assert not qemu_process.kill(ID)
    finally:
        for process in (wanted, other):
            process.kill()
            process.wait()
