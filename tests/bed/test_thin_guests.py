"""Guests that write as quickly as they can into thin disks on a shared volume group are never paused for want of room:
neither on the SPM's host nor on another, which asks by mail."""

from collections.abc import Iterator
from statistics import median

import pytest

from deploy.bed.hosts import Hosts
from deploy.guest.tiny_guest import GuestNotBuilt, TinyGuest, built
from tests.bed.parts.writing_guests import Guest, writing_guests

pytestmark = pytest.mark.timeout(900)
WRITTEN_MIB = 768


@pytest.fixture(scope="module")
def image() -> TinyGuest:
    try:
        return built()
    except GuestNotBuilt as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def guests(beds: Hosts, image: TinyGuest) -> Iterator[list[Guest]]:
    with writing_guests(beds, image) as made:
        yield made


def test_guests_that_write_at_full_speed_are_never_paused(guests: list[Guest]) -> None:
    for guest in guests:
        guest.begin_writing(WRITTEN_MIB)
    for guest in guests:
        guest.host.until("all is written", guest.has_written)
    for guest, what in zip(guests, ("on the SPM's host", "by mail"), strict=True):
        waits = sorted(guest.waits())
        size = guest.host.size(guest.ids) >> 20
        print(f"{what}: volume of {size} MiB, room after {waits} s, median {median(waits):.2f}, most {waits[-1]:.2f}")
        assert guest.pauses() == 0
        assert size > WRITTEN_MIB
