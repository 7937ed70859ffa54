from ovis.node.storage.formats.sanlock_records import BYTES, SanlockRecord, read


def written(magic: int, name: bytes, version: int) -> bytes:
    head = magic.to_bytes(4, "little") + bytes(28)
    numbers = b"".join(number.to_bytes(8, "little") for number in (7, 3, version))
    return head + numbers + b"space".ljust(48, b"\0") + name.ljust(48, b"\0") + (99).to_bytes(8, "little") + bytes(16)


def test_a_lease_and_a_host_are_read() -> None:
    assert read(written(0x06152010, b"SDM", 12)) == SanlockRecord("space", "SDM", 7, 3, 12, 99)
    assert read(written(0x12212010, b"host.one", 0)) == SanlockRecord("space", "host.one", 7, 3, None, 99)


def test_what_is_nothing_of_sanlocks_is_passed_over() -> None:
    assert read(bytes(512)) is None
    assert read(written(0x11282016, b"SDM", 12)) is None
    assert read(written(0x06152010, b"SDM", 12)[: BYTES - 1]) is None
