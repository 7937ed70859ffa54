from __future__ import annotations

import pytest

from ovis.shell.units import BadAmount, amount, human, human_size, human_time, travelling_unit

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "unit", "scale", "travels"),
    [
        ("512", "bytes", MIB, 512),
        ("512MiB", "bytes", MIB, 512),
        ("2G", "bytes", MIB, 2048),
        ("2G", "bytes", 1, 2 << 30),
        ("1 kB", "bytes", 1, 1000),
        ("1.5KiB", "bytes", 1, 1536),
        ("90", "s", 1, 90),
        ("2m", "s", 1, 120),
        ("90s", "min", 1, 1.5),
        ("1.5s", "ms", 1, 1500),
        ("250us", "us", 1, 250),
        ("50%", "percent", 1, 50),
        ("100MiB/s", "MiB/s", 1, 100),
        ("1GiB", "MiB/s", 1, 1024),
        ("-3", "", 1, -3),
    ],
)
def test_amounts_travel_in_the_wire_unit(text: str, unit: str, scale: int, travels: float) -> None:
    assert amount(text, unit=unit, scale=scale) == travels


@pytest.mark.parametrize(
    ("text", "unit"), [("12x", "bytes"), ("2m", "bytes"), ("5MiB", "s"), ("", ""), ("3s", ""), ("one", ""), ("1_0", "")]
)
def test_what_is_no_amount_is_refused(text: str, unit: str) -> None:
    with pytest.raises(BadAmount, match="expected"):
        amount(text, unit=unit, scale=1)


def test_large_whole_sizes_stay_exact() -> None:
    assert amount("9007199254740993", unit="bytes", scale=1) == 9007199254740993


def test_travelling_unit_is_the_one_of_a_plain_number() -> None:
    assert travelling_unit("bytes", MIB) == "MiB"
    assert travelling_unit("bytes/s", 1024) == "KiB/s"
    assert travelling_unit("ms", 1) == "ms"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (5 << 40, "5 TiB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert human_size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.25, "0.25 s"), (61, "1 m 1 s"), (3600, "1 h"), (90061, "1 d 1 h"), (-120, "-2 m")],
)
def test_times_read_well(seconds: float, text: str) -> None:
    assert human_time(seconds) == text


def test_numbers_show_their_unit() -> None:
    assert human(12.5, "percent") == "12.5 %"
    assert human(1048576, "bytes/s") == "1 MiB/s"
    assert human(7, "ms") == "7 ms"
    assert human(1700000000, "s") == "2023-11-14 22:13:20 UTC"
    assert human(7, "") == "7"
