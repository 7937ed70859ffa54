import itertools

import pytest

from ovis.node.vm.migration.verdict import TABLE, Here, There, Verdict, decide, needs_there


def test_every_case_is_decided() -> None:
    assert set(TABLE) == set(itertools.product(Here, There))


def test_a_copy_goes_on_here_only_when_none_can_run_there() -> None:
    for there in There:
        held = decide(Here.HELD, there, post_copy=False)
        assert (held is Verdict.STAYS) == (there in (There.FAILED, There.ABSENT))


def test_what_nobody_can_tell_is_not_decided() -> None:
    for here in (Here.HELD, Here.GONE):
        assert decide(here, There.UNKNOWN, post_copy=False) is Verdict.WAIT
    for there in There:
        assert decide(Here.UNKNOWN, there, post_copy=False) is Verdict.WAIT
        assert decide(Here.MOVING, there, post_copy=False) is Verdict.WAIT


def test_two_running_copies_are_never_kept() -> None:
    assert decide(Here.RUNS, There.RUNS, post_copy=False) is Verdict.LEFT


def test_after_post_copy_the_old_copy_never_goes_on() -> None:
    for there in There:
        assert decide(Here.HELD, there, post_copy=True) is not Verdict.STAYS


@pytest.mark.parametrize("here", [Here.PROVEN, Here.MOVING, Here.UNKNOWN])
def test_the_other_side_is_not_asked_when_it_would_change_nothing(here: Here) -> None:
    assert not needs_there(here)
