import json
import logging

import pytest

from ovis.node import flows, logs


@pytest.fixture(autouse=True)
def _put_back_the_logging() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_line_carries_the_flow_of_its_call(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text", for_journal=False)
    with flows.entered("abc"):
        logging.getLogger("ovis.node.vm").info("started %s", "x")
    assert "INFO node.vm [abc] started x" in capsys.readouterr().err


def test_outside_of_calls_there_is_no_flow(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text", for_journal=False)
    logging.getLogger("ovis.node.vm").info("sampled")
    assert "node.vm sampled" in capsys.readouterr().err


def test_every_line_for_the_journal_has_its_priority(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text", for_journal=True)
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        logging.getLogger("ovis.node").exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "<3>node failed"
    assert len(lines) > 2
    assert all(line.startswith("<3>") for line in lines)


def test_what_a_caller_wrote_fakes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "text", for_journal=False)
    logging.getLogger("ovis.node").info("no disk %s", "a\n2026-01-01 INFO all is well\x1b[2J")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "a\\n2026-01-01 INFO all is well\\x1b[2J" in told


def test_json_lines_hold_error_and_flow(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", "json", for_journal=False)
    with flows.entered("f1"):
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            logging.getLogger("ovis.node").exception("it failed")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["area"], line["flow"], line["text"]) == ("ERROR", "node", "f1", "it failed")
    assert "boom" in line["error"]
