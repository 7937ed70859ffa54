from __future__ import annotations

import io
import json
from typing import Any

import pytest

VM = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"


def test_json_shows_what_travelled_sorted_and_indented(ovis: Any) -> None:
    ended = ovis("node", "Host", "getStats")
    assert ended.code == 0
    assert ended.out == json.dumps(ovis.agent.answers["Host.getStats"], indent=4, sort_keys=True) + "\n"


def test_clean_output_has_numbers_and_bytes(ovis: Any) -> None:
    got = json.loads(ovis("node", "Host", "getStats", "--clean").out)
    assert got["cpuIdle"] == 58.75
    assert got["swapTotal"] == 1024 << 20


def test_yaml(ovis: Any) -> None:
    assert ovis("node", "-o", "yaml", "Host", "ping2").out == "true\n"
    assert "cpuIdle: '58.75'\n" in ovis("node", "Host", "getStats", "-o", "yaml").out


def test_a_verb_without_result_says_done_to_people(ovis: Any) -> None:
    assert ovis("node", "Host", "ping2", "-o", "table").out == "Done\n"


def test_arguments_and_flow_id_arrive(ovis: Any) -> None:
    ovis("node", "--flow", "f1", "VM", "getStats", f"vmID={VM}")
    assert ovis.agent.calls == [("VM.getStats", {"vmID": VM}, "f1")]


def test_a_verb_without_parameters_sends_none(ovis: Any) -> None:
    ovis("node", "Host", "ping2")
    assert ovis.agent.calls == [("Host.ping2", None, "")]


def test_what_was_printed_can_be_sent_back(ovis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"message": "grüße"}'))
    ended = ovis("node", "Host", "echo", "-")
    assert json.loads(ended.out) == "grüße"


def test_a_secret_can_come_from_stdin(ovis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2\n"))
    words = (f"vmID={VM}", "password=@-", "ttl=2m", "existingConnAction=keep", "params={}")
    ended = ovis("node", "VM", "setTicket", *words)
    assert ended.err == ""
    assert ovis.agent.calls[0][1]["password"] == "hunter2"


def test_class_and_verb_are_found_in_any_case(ovis: Any) -> None:
    assert ovis("node", "vm", "get_stats", f"vmid={VM}").code == 0


@pytest.mark.parametrize(
    ("verb", "code", "says"),
    [
        ("destroy", 1, "VM.destroy: No VM here has this id [1 NoSuchVM]\n  No virtual machine with this id"),
        ("reset", 5, "VM.reset needs the right to operate; uid:7 lacks it [-32001"),
        ("pause", 4, "[-32002"),
    ],
)
def test_error_answers_tell_number_name_cause_and_have_their_exit_code(
    ovis: Any, verb: str, code: int, says: str
) -> None:
    ended = ovis("node", "VM", verb, f"vmID={VM}")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("ovis: VM.")
    assert says in ended.err


def test_no_answer_in_time_is_4(ovis: Any) -> None:
    ended = ovis("node", "--timeout", "0.1", "VM", "cont", f"vmID={VM}")
    assert ended.code == 4
    assert "VM.cont was not answered within 0.1 s" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("node", "Hots", "x"), "There is no class 'Hots'\n  Did you mean Host"),
        (("node", "Host", "pong"), "There is no verb 'pong'\n  Did you mean ping"),
        (("node", "VM", "destroy"), "VM.destroy needs the parameter vmID="),
        (("node", "Host", "getStats", "-o", "xml"), "'xml' is not one of"),
        (("node", "Host", "getStats", "--nope"), "--nope"),
        (("node", "--timeout", "0", "Host", "ping2"), "0.0 is not in the range"),
        (("node", "--host", "a", "--socket", "b", "Host", "ping2"), "either --host or --socket"),
        (("node", "--host", "a:b", "Host", "ping2"), "not HOST or HOST:PORT"),
        (("nod",), "nod"),
    ],
)
def test_wrong_usage_is_2_and_nothing_is_sent(ovis: Any, words: tuple[str, ...], says: str) -> None:
    ended = ovis(*words)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ovis.agent.calls == []
