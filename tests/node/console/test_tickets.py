import pytest

from ovis.node.console.tickets import SECONDS_MOST, TICKETS_MOST, Kind, Ticket, Tickets
from ovis.node.errors import TooManyCalls

TICKET = Ticket("vm", Kind.SERIAL, force=False, giver="uid:0")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_word_opens_once() -> None:
    tickets = Tickets(Clock())
    word = tickets.give(TICKET, seconds=30)
    assert tickets.take(word) == TICKET
    assert tickets.take(word) is None
    assert tickets.take("guessed") is None
    assert tickets.take("\udcff") is None


def test_word_is_too_old_after_its_time() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    in_time, late = tickets.give(TICKET, seconds=30), tickets.give(TICKET, seconds=1e9)
    clock.now = 29.9
    assert tickets.take(in_time) == TICKET
    clock.now = SECONDS_MOST
    assert tickets.take(late) is None
    assert len(tickets) == 0


def test_words_that_nobody_uses_are_bounded() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    words = {tickets.give(TICKET, seconds=30) for _ in range(TICKETS_MOST)}
    assert len(words) == TICKETS_MOST
    with pytest.raises(TooManyCalls):
        tickets.give(TICKET, seconds=30)
    clock.now = 31
    tickets.give(TICKET, seconds=30)
