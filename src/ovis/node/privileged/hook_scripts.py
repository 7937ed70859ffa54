"""Hook scripts of the points that run as root: around a change of networks, and before the agent starts.

Only scripts that nobody but root can change, in folders of which the same holds. They get no variables of the agent's
choice: those points have none.
"""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from pathlib import Path
from typing import ClassVar, Literal

from msgspec import Struct

from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import Request
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.work import Work

SPARE = 10.0
"""Of the deadline, for what is left to do when a script has to be killed."""


class HookOutcome(Struct, frozen=True):
    """`payload` as the scripts left it. `script` and `why`: of the first that failed."""

    payload: str
    script: str = ""
    why: str = ""


class RunHooks(Request[HookOutcome], frozen=True, kw_only=True):
    """Refused when others than root can change a script. `payload` is JSON where the point has it."""

    answer: ClassVar[type] = HookOutcome
    seconds: ClassVar[float] = 70

    point: Literal["before_network_setup", "after_network_setup", "after_network_setup_fail", "before_vdsm_start"]
    payload: str = ""


async def run_hooks(request: RunHooks, work: Work) -> HookOutcome:
    from ovis.node.hooks import runner  # most hosts have no hooks
    from ovis.node.hooks.points import POINTS
    from ovis.node.hooks.scripts import Scripts

    scripts = await asyncio.to_thread(Scripts(Path(work.rules.hooks)).of, request.point)
    for script in scripts:
        await asyncio.to_thread(_check, script.path, work.rules)
    with tempfile.TemporaryDirectory(prefix="ovis-hooks-") as folder:
        outcome = await runner.run(
            POINTS[request.point],
            scripts,
            request.payload.encode("utf-8", "surrogatepass"),
            environment=runner.environment_of({}),
            folder=Path(folder),
            seconds=request.seconds - SPARE,
        )
    text = outcome.payload.decode("utf-8", "replace")
    failure = outcome.failure
    return HookOutcome(text) if failure is None else HookOutcome(text, failure.script, failure.why)


def _check(script: Path, rules: Rules) -> None:
    """Raises Refused."""
    real = script.resolve(strict=True)
    for place in {script.parent, Path(rules.hooks), real, *real.parents}:
        facts = place.stat()
        is_shared_folder = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
        if facts.st_uid not in (0, os.geteuid()) or (facts.st_mode & 0o022 and not is_shared_folder):
            raise Refused(f"the hook {script.parent.name}/{script.name}", f"others than root can change {place}")
