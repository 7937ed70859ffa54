import pytest

from ovis.client.types import VmExitReason, VmStatus
from ovis.node.hypervisor.interface import DomainInfo, DomainState
from ovis.node.vm.states import (
    TEXTS,
    TRANSITIONS,
    WITH_QEMU,
    Cause,
    ExitCode,
    ExitReason,
    after,
    exit_after_stop,
    exit_of,
    found,
    mermaid,
    pause_code,
)


def test_every_status_is_reached_from_the_first_one() -> None:
    reached = {VmStatus.WAIT_FOR_LAUNCH}
    while fresh := {row[s] for row in TRANSITIONS.values() for s in reached if s in row} - reached:
        reached |= fresh
    assert reached == set(VmStatus)


def test_every_status_but_down_can_end() -> None:
    assert {after(status, Cause.ENDED) for status in VmStatus} == {VmStatus.DOWN}


def test_nothing_leaves_down() -> None:
    assert {after(VmStatus.DOWN, cause) for cause in Cause} == {VmStatus.DOWN}


def test_every_cause_changes_something() -> None:
    assert all(TRANSITIONS[cause] for cause in Cause)


def test_a_cause_without_a_row_changes_nothing() -> None:
    assert after(VmStatus.MIGRATION_SOURCE, Cause.PAUSED) is VmStatus.MIGRATION_SOURCE


def test_a_second_event_of_the_same_kind_changes_nothing() -> None:
    for cause, row in TRANSITIONS.items():
        for target in row.values():
            assert after(target, cause) in (target, VmStatus.DOWN), (cause, target)


def test_what_is_found_wins_over_what_was_believed() -> None:
    for status in WITH_QEMU - {VmStatus.MIGRATION_SOURCE, VmStatus.MIGRATION_DESTINATION}:
        if status in (VmStatus.SAVING_STATE, VmStatus.RESTORING_STATE):
            continue
        assert after(status, Cause.FOUND_PAUSED) is VmStatus.PAUSED


def test_exit_reasons_are_the_numbers_of_the_facts() -> None:
    assert [reason.value for reason in ExitReason] == list(range(15))
    assert set(TEXTS) == set(ExitReason)
    names = {word.name.replace("POST_COPY", "POSTCOPY") for word in VmExitReason}
    assert names == {reason.name for reason in ExitReason}


@pytest.mark.parametrize(
    ("stopped", "asked", "host_told", "reason", "code"),
    [
        ("shutdown", None, False, ExitReason.USER_SHUTDOWN, ExitCode.NORMAL),
        ("shutdown", ExitReason.ADMIN_SHUTDOWN, False, ExitReason.ADMIN_SHUTDOWN, ExitCode.NORMAL),
        ("shutdown", None, True, ExitReason.HOST_SHUTDOWN, ExitCode.ERROR),
        ("destroyed", None, False, ExitReason.ADMIN_SHUTDOWN, ExitCode.NORMAL),
        ("destroyed", ExitReason.DESTROYED_ON_REBOOT, True, ExitReason.DESTROYED_ON_REBOOT, ExitCode.NORMAL),
        ("crashed", None, False, ExitReason.LOST_QEMU_CONNECTION, ExitCode.ERROR),
        ("failed", None, False, ExitReason.LOST_QEMU_CONNECTION, ExitCode.ERROR),
        ("migrated", None, False, ExitReason.MIGRATION_SUCCEEDED, ExitCode.NORMAL),
        ("saved", None, False, ExitReason.SAVE_STATE_SUCCEEDED, ExitCode.NORMAL),
        ("from_snapshot", None, False, ExitReason.GENERIC_ERROR, ExitCode.ERROR),
    ],
)
def test_the_end_of_a_vm_has_a_reason(
    stopped: str, asked: ExitReason | None, host_told: bool, reason: ExitReason, code: ExitCode
) -> None:
    end = exit_after_stop(stopped, asked=asked, host_told=host_told)
    assert (end.reason, end.code) == (reason, code)
    assert end.message


def test_libvirts_words_are_the_message_of_a_failed_start() -> None:
    assert exit_of(ExitReason.LIBVIRT_START_FAILED, "no such bridge").message == "no such bridge"


@pytest.mark.parametrize(
    ("state", "reason", "booted", "cause"),
    [
        (DomainState.RUNNING, "booted", True, Cause.FOUND_RUNNING),
        (DomainState.RUNNING, "booted", False, Cause.FOUND_BOOTING),
        (DomainState.PAUSED, "user", True, Cause.FOUND_PAUSED),
        (DomainState.PAUSED, "starting_up", False, Cause.FOUND_BOOTING),
        (DomainState.SHUTTING_DOWN, "user", True, Cause.FOUND_SHUTTING_DOWN),
        (DomainState.SUSPENDED, "unknown", True, Cause.FOUND_RUNNING),
        (DomainState.SHUT_OFF, "crashed", True, Cause.ENDED),
    ],
)
def test_a_domain_is_found(state: DomainState, reason: str, booted: bool, cause: Cause) -> None:
    assert found(DomainInfo("id", "name", state, reason), booted=booted) is cause


@pytest.mark.parametrize(("word", "code"), [(None, "NOERR"), ("enospc", "ENOSPC"), ("eio", "EIO"), ("", "EOTHER")])
def test_pause_codes(word: str | None, code: str) -> None:
    assert pause_code(word) == code


def test_the_picture_holds_every_status_and_arrow() -> None:
    picture = mermaid()
    assert picture.startswith("stateDiagram-v2\n")
    assert all(f'"{status.value}"' in picture for status in VmStatus)
    assert "WaitForLaunch --> PoweringUp: QEMU runs" in picture
