"""What sanlock says of a process, also when it is busy with it."""

import asyncio
import errno
from collections.abc import Iterator

import pytest

from ovis.node.privileged import leases
from ovis.node.privileged.errors import Refused

HELD = "d0000000:SDM:/dev/leases:1048576:3"


def answers(monkeypatch: pytest.MonkeyPatch, *given: str | OSError) -> None:
    following: Iterator[str | OSError] = iter(given)

    def held_by(_: int) -> str:
        answer = next(following)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(leases, "held_by", held_by)
    monkeypatch.setattr(leases, "AGAIN_SECONDS", 0.001)


def test_a_process_that_sanlock_is_busy_with_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = OSError(errno.EBUSY, "busy")
    answers(monkeypatch, busy, busy, HELD)
    assert asyncio.run(leases.is_manager(1))
    answers(monkeypatch, busy, "d0000000:other:/dev/leases:1048576:3")
    assert not asyncio.run(leases.is_manager(1))


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "no such process"), OSError(errno.ECONNREFUSED, "refused")])
def test_what_nobody_can_tell_is_refused(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    answers(monkeypatch, error)
    with pytest.raises(Refused, match=str(error.strerror)):
        asyncio.run(leases.is_manager(1))


def test_for_ever_busy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, *[OSError(errno.EBUSY, "busy")] * 100_000)
    monkeypatch.setattr(leases, "SECONDS", 0.1)
    with pytest.raises(Refused, match="does not answer within"):
        asyncio.run(leases.is_manager(1))
