from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ovis.shell.api import node_schema
from ovis.shell.follow import line, text_of
from ovis.wire.events import Event, Lost

VM = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"
NOON = time.struct_time((2026, 1, 1, 12, 0, 5, 0, 1, 0))
SECONDS = 20.0


@contextmanager
def following(agent: Any, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ovis.shell", "node", "events", *words],
        env={**os.environ, "OVIS_SOCKET": agent.socket},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert agent.subscribed.wait(SECONDS)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_events_arrive_as_json_lines(agent: Any) -> None:
    with following(agent, "|virt|*") as process:
        agent.publish("|net|host_conn|no_id", {})
        agent.publish(f"|virt|VM_status|{VM}", {VM: {"status": "Up"}})
        assert process.stdout is not None
        got = json.loads(process.stdout.readline())
    assert got["event"] == f"|virt|VM_status|{VM}"
    assert got["params"][VM] == {"status": "Up"}


def test_a_lost_connection_ends_with_3(agent: Any) -> None:
    with following(agent) as process:
        agent.stop()
        assert process.wait(SECONDS) == 3
        assert process.stderr is not None
        assert "No connection to" in process.stderr.read()


def test_the_line_of_a_vm_event_shows_the_change_once() -> None:
    params = {VM: {"status": "Powering up", "cpuUser": "3.10", "hash": "12"}, "notify_time": 1, "seq": 2}
    shown = line(node_schema(), f"|virt|VM_status|{VM}", params, NOON)
    assert shown == f'12:00:05 virt VM_status {VM}  status="Powering up" cpuUser=3.1 hash=12'


def test_an_event_about_nothing_is_short() -> None:
    assert line(node_schema(), "|net|host_conn|no_id", {"notify_time": 1}, NOON) == "12:00:05 net host_conn"


def test_an_event_the_schema_does_not_know_is_shown_as_it_is() -> None:
    shown = line(node_schema(), "|new|thing|7", {"a": [1], "b": {"c": True}, "seq": 1}, NOON)
    assert shown == '12:00:05 new thing 7  a=[1] b={"c":true}'


def test_a_guest_cannot_write_to_the_terminal() -> None:
    shown = line(node_schema(), "|new|thing|7", {"name": "\x1b[2Jevil"}, NOON)
    assert "\x1b" not in shown
    assert "evil" in shown


def test_clean_events_have_numbers() -> None:
    event = Event(1, f"|virt|VM_status|{VM}", json.dumps({VM: {"cpuUser": "3.10"}, "notify_time": 5}).encode())
    assert json.loads(text_of(event, "json"))["params"][VM] == {"cpuUser": "3.10"}
    assert json.loads(text_of(event, "json", typed=True))["params"] == {VM: {"cpuUser": 3.1}, "notify_time": 5}


def test_losses_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(text_of(Lost(3, 7, 9), "json")) == {"lost": {"count": 3, "first": 7, "last": 9}}
    assert text_of(Lost(3, 7, 9), "table") == ""
    assert capsys.readouterr().err == "ovis: 3 events were lost (7 to 9)\n"


def test_a_bad_pattern_is_wrong_usage(ovis: Any) -> None:
    ended = ovis("node", "events", "x" * 300)
    assert ended.code == 2
    assert "PATTERN" in ended.err
