"""Helper programs of storage vendors for managed volumes.

    <folder>/managedvolume-helper-<adapter> attach    standard input: connection_info as JSON
                                                      standard output: the attachment as JSON {path, type, …}
    <folder>/managedvolume-helper-<adapter> detach    standard input: {"connection_info": …, "attachment": …}

A program is run when nobody but root (and who runs the helper) can change it. Source of the names: the schema's
`adapter` and the folder of existing hosts. Assumption: the form of input and output, which no fact describes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
from pathlib import Path
from typing import ClassVar, Literal

from ovis.node.privileged.devices import hand_over
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.rules import Rules, device_path
from ovis.node.privileged.work import Work

_ADAPTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class RunAdapter(Request[CommandResult], frozen=True, kw_only=True):
    """The output is what it wrote. After `attach` the device that it names belongs to the agent's user.

    FileNotFoundError: there is no such adapter.
    """

    seconds: ClassVar[float] = 120

    adapter: str
    action: Literal["attach", "detach"]
    data: Secret


async def run_adapter(request: RunAdapter, work: Work) -> CommandResult:
    if not _ADAPTER.fullmatch(request.adapter):
        raise Refused(f"the adapter {request.adapter!r}", "this is no name of one")
    program = await asyncio.to_thread(_program, request.adapter, work.rules)
    result = await work.run(program, request.action, stdin=request.data.text.encode())
    if result.ok and request.action == "attach":
        await asyncio.to_thread(_hand_over, result.output, work.rules)
    return result


def _program(adapter: str, rules: Rules) -> str:
    """Raises FileNotFoundError, Refused."""
    path = Path(rules.adapters, f"managedvolume-helper-{adapter}")
    real = path.resolve(strict=True)
    for place in {path.parent, real, *real.parents}:
        facts = place.stat()
        is_shared_folder = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
        others_may_write = facts.st_mode & 0o022 and not is_shared_folder
        if facts.st_uid not in (0, os.geteuid()) or others_may_write:
            raise Refused(f"the adapter {adapter}", f"others than root can change {place}")
    return str(real)


def _hand_over(output: bytes, rules: Rules) -> None:
    """What it says otherwise is the agent's to judge."""
    try:
        path = json.loads(output)["path"]
    except (ValueError, TypeError, KeyError, UnicodeDecodeError):
        return
    if isinstance(path, str):
        device = os.path.realpath(device_path(path))
        if device.startswith("/dev/") and stat.S_ISBLK(os.stat(device).st_mode):
            hand_over(device, rules)
