import pytest

from deploy.setup.debian_packages import LIST, names
from deploy.setup.steps import Step, StepFailed, command, run_all


def fail() -> str:
    raise StepFailed("no network")


def test_steps_stop_at_the_first_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all([Step("one", lambda: "is there"), Step("two", fail), Step("three", lambda: "is there")]) == 1
    told = capsys.readouterr()
    assert "two: FAILED\nno network" in told.err
    assert "three" not in told.out


def test_failed_command_tells_its_last_words_and_what_to_do() -> None:
    with pytest.raises(StepFailed, match=r"ended with 7\. Try again\.\n[\d\n]*lost") as failed:
        command(["sh", "-c", "seq 100; echo lost >&2; exit 7"], deadline=10, advice="Try again.")
    assert "\n50\n" not in str(failed.value)


def test_absent_program_and_late_program_are_told_apart() -> None:
    with pytest.raises(StepFailed, match="is not here"):
        command(["/no/such/program"], deadline=10)
    with pytest.raises(StepFailed, match="did not end within"):
        command(["sleep", "600"], deadline=0.2)


def test_package_list_names_each_once_and_says_why() -> None:
    text = LIST.read_text()
    listed = names(text)
    assert len(set(listed)) == len(listed)
    assert all("#" in line for line in text.splitlines() if line)
