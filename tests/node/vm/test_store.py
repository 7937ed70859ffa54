import asyncio
import os
import stat
from pathlib import Path

import pytest

from ovis.node.vm.states import ExitCode, ExitReason
from ovis.node.vm.store import Intent, Record, Store, StoredExit

ID = "11111111-2222-4333-8444-555555555555"
EXITED = StoredExit(ExitCode.ERROR, ExitReason.LIBVIRT_START_FAILED, "why")


def record(**changes: object) -> Record:
    values: dict[str, object] = {"id": ID, "name": "one", "intent": Intent.CREATING, "xml": "<x/>", "start_time": 1.5}
    return Record(**{**values, **changes})  # type: ignore[arg-type]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    down = record(intent=Intent.DOWN, exit=EXITED, time_offset=-60, asked=ExitReason.ADMIN_SHUTDOWN)
    store.write(down)
    assert Store(tmp_path).load() == [down]


def test_a_later_record_replaces_the_former_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    store.write(record(intent=Intent.RUNNING))
    assert [r.intent for r in store.load()] == [Intent.RUNNING]


def test_only_the_owner_reads_a_record(tmp_path: Path) -> None:
    Store(tmp_path).write(record())
    assert stat.S_IMODE((tmp_path / "vms").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "vms" / f"{ID}.json").stat().st_mode) == 0o600


def test_file_and_folder_are_flushed_before_write_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    Store(tmp_path).write(record())
    assert flushed == [str(tmp_path / "vms" / f"{ID}.json.new"), str(tmp_path / "vms")]


def test_a_write_that_fails_leaves_the_former_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write(record())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write(record(intent=Intent.RUNNING))
    assert [r.intent for r in store.load()] == [Intent.CREATING]
    assert os.listdir(tmp_path / "vms") == [f"{ID}.json"]


def test_what_a_dead_process_was_writing_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    (tmp_path / "vms" / f"{ID}.json.new").write_text('{"half')
    assert len(store.load()) == 1
    assert os.listdir(tmp_path / "vms") == [f"{ID}.json"]


EXIT = b'{"code":77,"reason":0,"message":""}'
WHOLE = b'{"version":1,"id":"%s","name":"a","intent":"down","xml":"<x/>","start_time":1,"asked":%s,"exit":%s}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"version":1}',
        b"[]",
        b"\xff",
        b'{"version":99,"id":"x"}',
        WHOLE % (b"other", b"77", b"null"),
        WHOLE % (b"other", b"null", EXIT),
        WHOLE % (b"../other", b"null", b"null"),
    ],
)
def test_an_unreadable_record_is_put_aside_and_the_others_are_read(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.write(record())
    (tmp_path / "vms" / "other.json").write_bytes(content)
    assert [r.id for r in store.load()] == [ID]
    assert (tmp_path / "vms" / "other.json.unreadable").read_bytes() == content


def test_what_was_put_aside_before_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "vms").mkdir()
    for content in (b"first", b"second"):
        (tmp_path / "vms" / f"{ID}.json").write_bytes(content)
        assert store.load() == []
    assert {file.read_bytes() for file in (tmp_path / "vms").iterdir()} == {b"first", b"second"}


def test_what_is_no_file_or_too_large_keeps_no_record_from_being_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    os.mkfifo(tmp_path / "vms" / "fifo.json")
    (tmp_path / "vms" / "folder.json").mkdir()
    (tmp_path / "vms" / "folder.new").mkdir()
    with (tmp_path / "vms" / "huge.json").open("wb") as huge:
        huge.truncate(1 << 40)
    assert [r.id for r in store.load()] == [ID]


def test_a_record_that_the_storage_does_not_give_stays_where_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record())
    (tmp_path / "vms" / "loop.json").symlink_to("loop.json")
    assert [r.id for r in store.load()] == [ID]
    assert (tmp_path / "vms" / "loop.json").is_symlink()


def test_a_record_of_a_later_version_is_not_misread(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record(version=2))
    assert store.load() == []


def test_remove_is_safe_to_repeat(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remove(ID)
    store.write(record())
    store.remove(ID)
    store.remove(ID)
    assert store.load() == []


def test_writes_happen_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    async def main() -> list[str]:
        store = Store(tmp_path)
        names = [str(number) for number in range(20)]
        writes = [store.run(lambda name=name: store.write(record(name=name))) for name in names]  # type: ignore[misc]
        await asyncio.gather(*writes)
        await store.close()
        return [r.name for r in store.load()]

    assert asyncio.run(main()) == ["19"]
