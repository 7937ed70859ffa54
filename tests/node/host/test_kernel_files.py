import os
from pathlib import Path

import pytest

from ovis.node.host.kernel_files import KernelFiles, number_list


def test_what_is_absent_reads_as_none(tmp_path: Path) -> None:
    files = KernelFiles(tmp_path)
    assert files.text("sys/none") is None
    assert files.number("sys/none") is None
    assert files.truth("sys/none") is None
    assert files.names("sys") == []


def test_names_with_numbers_are_in_their_order(tmp_path: Path) -> None:
    for name in ("cpu10", "cpu2", "cpufreq", "cpu1"):
        (tmp_path / name).touch()
    assert KernelFiles(tmp_path).names("") == ["cpu1", "cpu2", "cpu10", "cpufreq"]


def test_a_kept_file_is_read_anew_each_time(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("1")
    kept = KernelFiles(tmp_path).keep("counter")
    assert kept.read() == "1"
    (tmp_path / "counter").write_text("22")
    assert kept.read() == "22"


def test_a_kept_file_may_come_later(tmp_path: Path) -> None:
    kept = KernelFiles(tmp_path).keep("late")
    assert kept.read() is None
    (tmp_path / "late").write_text("here")
    assert kept.read() == "here"


def test_a_kept_file_is_opened_again_after_its_device_has_gone(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("up")
    kept = KernelFiles(tmp_path).keep("state")
    kept.read()
    assert kept._descriptor is not None
    os.dup2(os.open(tmp_path, os.O_RDONLY), kept._descriptor)  # reading a folder fails, as a removed device does
    assert kept.read() == "up"


def test_long_content_is_read_to_its_end() -> None:
    """The kernel hands out lists by the page: one read is not all."""
    mappings = len((KernelFiles().text("proc/self/maps") or "").splitlines())
    described = (KernelFiles().text("proc/self/smaps") or "").count("VmFlags:")
    assert mappings > 50
    assert abs(mappings - described) < 10


def test_what_may_not_be_read_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)  # root may read everything
    files = KernelFiles(tmp_path)
    with caplog.at_level("INFO"):
        assert files.text("serial") is None
        assert files.text("serial") is None
    assert caplog.messages == [f"what {tmp_path}/serial holds stays unknown: Permission denied"]


@pytest.mark.parametrize(
    ("text", "numbers"), [("", []), ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,8,10-11\n", [0, 1, 8, 10, 11])]
)
def test_number_lists(text: str, numbers: list[int]) -> None:
    assert number_list(text) == numbers


@pytest.mark.parametrize(("content", "truth"), [("Y", True), ("N", False), ("1", True), ("0", False), ("?", None)])
def test_truths_of_the_kernel(tmp_path: Path, content: str, truth: bool | None) -> None:
    (tmp_path / "nested").write_text(content + "\n")
    assert KernelFiles(tmp_path).truth("nested") is truth
