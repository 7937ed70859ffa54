"""The parts of the bed that need no kernel; tests/bed/test_bed.py has the others."""

import json
import socket
from pathlib import Path

import pytest

from deploy.bed import scratch
from deploy.bed.apt import BuildFailed, Mirror
from deploy.bed.kernels import with_interpreter
from deploy.bed.line import BedEnded, BedNotReady, Line
from deploy.bed.settings import BedSettings, Mode, Share, write
from deploy.bed.tree import PACKAGES, packages

INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"


def test_a_program_gets_another_interpreter_in_the_same_place() -> None:
    program = b"elf" + INTERPRETER + b"rest"
    changed = with_interpreter(program, "lib/ld.so")
    assert len(changed) == len(program)
    assert changed.startswith(b"elflib/ld.so\0")
    assert changed.endswith(b"rest")


@pytest.mark.parametrize("program", [b"none", INTERPRETER * 2])
def test_a_program_without_exactly_one_interpreter_is_refused(program: bytes) -> None:
    with pytest.raises(BuildFailed):
        with_interpreter(program, "lib/ld.so")


def test_packages_are_names_without_comments() -> None:
    assert packages("# what\na b # why\n\nc\n") == ["a", "b", "c"]
    assert "lvm2" in packages(PACKAGES.read_text())


def test_a_mirror_without_security_serves_the_suite_and_its_updates() -> None:
    lines = Mirror("http://here", None).sources("suite")
    assert [line.split()[-2] for line in lines] == ["suite", "suite-updates"]


def test_settings_tell_the_bed_what_to_mount(tmp_path: Path) -> None:
    share = Share(tmp_path, Mode.READ_ONLY, Path("/there"))
    write(BedSettings("x", shares=(share,)), tmp_path / "inside", machine_id="0")
    told = json.loads((tmp_path / "inside/settings.json").read_text())
    assert told["shares"] == [{"source": str(tmp_path), "target": "/there", "mode": "ro"}]
    assert (tmp_path / "inside/agent.py").exists()


def test_folders_of_living_owners_are_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVIS_BED_DIR", str(tmp_path))
    mine = scratch.new("x")
    dead = tmp_path / "ovis-bed-1-1-dead"
    dead.mkdir()
    (dead / "owner.json").write_text('{"pid": 4194305, "started": 1}')
    scratch.sweep()
    assert mine.exists()
    assert not dead.exists()


def test_beds_are_spread_over_the_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVIS_BED_DIR", str(tmp_path))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {2, 5})
    assert [scratch.take_processor(scratch.new("x")) for _ in range(4)] == [2, 5, 2, 5]


@pytest.fixture
def bed(tmp_path: Path) -> tuple[Line, socket.socket]:
    """The line, and its other end."""
    ours, theirs = socket.socketpair()
    return Line(ours, tmp_path), theirs


def run(line: Line) -> tuple[int, bytes]:
    told = b""

    def receive(_: str, data: bytes) -> None:
        nonlocal told
        told += data

    job = line.run(["x"], environment={}, folder="/", given=b"")
    code = job.follow(receive, deadline=20)
    return code, told


def test_output_and_exit_code_come_over_the_line(bed: tuple[Line, socket.socket], tmp_path: Path) -> None:
    line, other = bed
    other.sendall(b'{"ready": true}\n{"id": 1, "out": "')
    line.await_ready(20)
    other.sendall(b'aGk="}\n')  # before the command: dropped, it belongs to nobody
    job = line.run(["x"], environment={}, folder="/", given=b"in")
    assert (tmp_path / "input-1").read_bytes() == b"in"
    other.sendall(b'{"id": 1, "err": "aGk="}\n{"id": 1, "exit": 5}\n')
    seen: list[tuple[str, bytes]] = []
    assert job.follow(lambda kind, data: seen.append((kind, data)), deadline=20) == 5
    assert ("err", b"hi") in seen


def test_a_bed_that_could_not_be_prepared_says_why(bed: tuple[Line, socket.socket]) -> None:
    line, other = bed
    other.sendall(b'{"failed": "no such share"}\n')
    with pytest.raises(BedNotReady, match="no such share"):
        line.await_ready(20)


def test_a_bed_that_ends_ends_its_commands(bed: tuple[Line, socket.socket]) -> None:
    line, other = bed
    job = line.run(["x"], environment={}, folder="/", given=b"")
    other.sendall(b'{"id": 1, "out": "cut in the mid')
    other.close()
    with pytest.raises(BedEnded):
        job.follow(lambda *_: None, deadline=20)
    with pytest.raises(BedEnded):
        run(line)


def test_a_command_past_its_deadline_gets_a_signal(bed: tuple[Line, socket.socket]) -> None:
    line, other = bed
    job = line.run(["x"], environment={}, folder="/", given=b"")
    with pytest.raises(TimeoutError):
        job.follow(lambda *_: None, deadline=0.05)
    messages = other.recv(1000).splitlines()
    assert [json.loads(message) for message in messages] == [{"run": 1}, {"signal": 1, "number": 9}]
