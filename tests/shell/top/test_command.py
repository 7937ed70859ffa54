from __future__ import annotations

import json
from typing import Any

from ovis.wire.errors import RpcError

ONCE = """\
CPU of 8 [||||      ]  41 %  load 1.25  memory of 16 GiB [||||||||| ]  92 %!  swap 512 MiB  VMs 1 up of 2  agent up 1 d
NAME                                 STATUS      CPU % MEMORY MEM % READ/s WRITE/s   IN/s  OUT/s ADDRESS
web                                  Up           44.8     1G    37     1M      2K      -      - 192.0.2.7
7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0002 Down            -      -     -      -       -      -      - -
"""


def test_once_prints_plain_lines(ovis: Any) -> None:
    ended = ovis("node", "top", "--once")
    assert ended.code == 0
    assert ended.out.split("  ", 1)[1] == ONCE


def test_once_as_json(ovis: Any) -> None:
    got = json.loads(ovis("node", "top", "--once", "-o", "json").out)
    assert got["host"]["memory"] == 16 << 30
    assert got["vms"][0]["name"] == "web"
    assert got["vms"][1]["cpu_percent"] is None


def test_an_error_answer_ends_it(ovis: Any) -> None:
    ovis.agent.answers["Host.getStats"] = RpcError(99, "Recovering")
    assert ovis("node", "top", "--once").code == 1
