import pytest

from ovis.client.types import ConvergenceAction, ConvergenceItem, ConvergenceSchedule
from ovis.node.errors import BadParameter
from ovis.node.vm.migration.convergence import (
    DEFAULT,
    NO_CONVERGENCE,
    Action,
    Convergence,
    PostCopy,
    Schedule,
    SetDowntime,
    Step,
    read,
)

GIB = 1 << 30
THREE = Schedule((), (Step(1, SetDowntime(0.15)), Step(2, SetDowntime(0.2)), Step(None, NO_CONVERGENCE)))


def taken(seen: Convergence, *looks: tuple[int, int], now: float = 0.0) -> list[list[Action]]:
    """`looks`: (iteration, remaining), a second apart."""
    return [
        seen.observe(iteration=iteration, remaining=remaining, now=now + number)
        for number, (iteration, remaining) in enumerate(looks)
    ]


def test_nothing_is_done_while_each_iteration_has_less_to_send() -> None:
    seen = Convergence(THREE, patience=60, pace=1, now=0)
    assert taken(seen, (1, 8 * GIB), (1, GIB), (2, 4 * GIB), (2, 1), (3, 2 * GIB), (4, GIB)) == [[]] * 6


def test_each_measure_is_taken_once_when_its_limit_is_passed() -> None:
    seen = Convergence(THREE, patience=60, pace=1, now=0)
    looks = [(1, GIB), (2, GIB), (2, GIB // 2), (3, GIB), (3, 5), (4, GIB), (4, 5), (5, GIB), (6, GIB)]
    assert taken(seen, *looks) == [
        [], [], [], [SetDowntime(0.15)], [], [SetDowntime(0.2)], [], [NO_CONVERGENCE], [],
    ]  # fmt: skip


def test_progress_starts_the_count_anew() -> None:
    seen = Convergence(THREE, patience=60, pace=1, now=0)
    looks = [(1, GIB), (2, GIB), (3, GIB // 2), (4, GIB), (5, GIB)]
    assert taken(seen, *looks) == [[], [], [], [], [SetDowntime(0.15)]]


def test_each_measure_gets_its_time_however_quick_the_iterations_are() -> None:
    seen = Convergence(THREE, patience=60, pace=3, now=0)
    assert taken(seen, *[(1 + 10 * number, GIB) for number in range(9)]) == [
        [], [SetDowntime(0.15)], [], [], [SetDowntime(0.2)], [], [], [NO_CONVERGENCE], [],
    ]  # fmt: skip


def test_a_schedule_without_a_way_out_ends_by_patience() -> None:
    seen = Convergence(Schedule((), ()), patience=5, pace=1, now=0)
    looks = [(number, GIB) for number in range(1, 10)]
    assert taken(seen, *looks) == [[]] * 6 + [[NO_CONVERGENCE]] + [[]] * 2


def test_a_long_first_iteration_is_left_alone() -> None:
    seen = Convergence(Schedule((), ()), patience=5, pace=1, now=0)
    assert taken(seen, *[(1, GIB - number) for number in range(30)]) == [[]] * 30


def test_what_does_not_move_at_all_is_given_up_whatever_the_schedule_holds() -> None:
    seen = Convergence(THREE, patience=5, pace=1, now=0)
    assert taken(seen, *[(1, GIB)] * 8) == [[]] * 6 + [[NO_CONVERGENCE]] + [[]]


def test_the_usual_schedule_ends() -> None:
    seen = Convergence(DEFAULT, patience=60, pace=1, now=0)
    actions = [action for due in taken(seen, *[(number, GIB) for number in range(1, 20)]) for action in due]
    assert actions == [step.action for step in DEFAULT.stalling]


def test_a_callers_schedule_is_read() -> None:
    given = ConvergenceSchedule(
        init=[ConvergenceAction(name="setDowntime", params=["100"])],
        stalling=[
            ConvergenceItem(limit=2, action=ConvergenceAction(name="postcopy", params=[])),
            ConvergenceItem(limit=-1, action=ConvergenceAction(name="abort", params=[])),
        ],
    )
    found = read(given)
    assert found == Schedule((SetDowntime(0.1),), (Step(2, PostCopy()), Step(None, NO_CONVERGENCE)))
    assert found.uses_post_copy
    assert read(None) is DEFAULT


@pytest.mark.parametrize(
    "action",
    [
        ConvergenceAction(name="explode", params=[]),
        ConvergenceAction(name="setDowntime", params=[]),
        ConvergenceAction(name="setDowntime", params=["soon"]),
        ConvergenceAction(name="setDowntime", params=["0"]),
    ],
)
def test_a_measure_that_nobody_knows_is_refused(action: ConvergenceAction) -> None:
    with pytest.raises(BadParameter, match="convergenceSchedule"):
        read(ConvergenceSchedule(init=[], stalling=[ConvergenceItem(limit=1, action=action)]))
