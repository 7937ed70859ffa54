"""The bundle: what is in it, what is not, and that it is whole or not there."""

import asyncio
import json
import os
import tarfile
from pathlib import Path

import pytest

from ovis.node.observing import report
from ovis.node.observing.report import Bundle


def contents(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as tar:
        names = {member.name.partition("/")[2]: member for member in tar.getmembers()}
        return {name: tar.extractfile(member).read().decode() for name, member in names.items()}  # type: ignore[union-attr]


def test_files_commands_and_what_is_missing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/one.conf").write_text("password = s3cr3t\nsize = 5\n")
    (root / "etc/link.conf").symlink_to("/etc/shadow")
    os.mkfifo(root / "etc/pipe.conf")
    (root / "etc/long.conf").write_text("begin" + "x" * report.LONGEST_FILE)

    def fill(bundle: Bundle) -> None:
        report.ask_agent(bundle, tmp_path / "nobody.sock")
        commands = ["echo told --token s3cr3t", "no-such-program-here", "false"]
        asyncio.run(report.run_commands(bundle, commands))
        report.add_files(bundle, root, ["/etc/*.conf"])

    target = tmp_path / "report.tar.gz"
    report.write(target, fill, now=0.0, host="here")
    found = contents(target)
    manifest = json.loads(found["manifest.json"])
    assert found[f"files{root}/etc/one.conf"] == "password = (masked)\nsize = 5\n"
    assert found[f"files{root}/etc/long.conf"] == "x" * report.LONGEST_FILE
    assert not any("link" in name or "pipe" in name for name in found)
    assert found["commands/echo_told_--token_s3cr3t"] == "told --token (masked)\n"
    assert "does not answer" in manifest["missing"]["api"]
    assert manifest["missing"]["commands/no-such-program-here"] == "no-such-program-here is not installed"
    assert manifest["missing"]["commands/false"] == "exit status 1"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("report")] == ["report.tar.gz"]


def test_nothing_is_left_of_a_bundle_that_failed(tmp_path: Path) -> None:
    def fill(_: Bundle) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        report.write(tmp_path / "report.tar.gz", fill, now=0.0, host="here")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        report.write(tmp_path / "mine", lambda _: None, now=0.0, host="here")
    assert (tmp_path / "mine").read_text() == "mine"
