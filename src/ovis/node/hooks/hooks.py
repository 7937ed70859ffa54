"""What the rest of the agent calls: run the scripts of a point if there are any.

Everything else of the hooks is loaded when the first script runs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ovis.node.hooks.scripts import Scripts
from ovis.node.hooks.settings import HookSettings

if TYPE_CHECKING:
    from ovis.node.hooks.statistics import StatisticsHooks
    from ovis.node.privileged.client import Root

log = logging.getLogger(__name__)
NONE: Mapping[str, str] = {}
STATISTICS_POINTS = tuple(
    f"{when}_get_{what}" for what in ("vm_stats", "all_vm_stats", "caps", "stats") for when in ("before", "after")
)


class Hooks:
    """`root` gives the root helper, which runs the scripts that expect to be root where the agent is not."""

    def __init__(self, settings: HookSettings | None = None, root: Callable[[], Root] | None = None) -> None:
        self.settings = settings or HookSettings()
        self._root = root
        self.scripts = Scripts(self.settings.folder)
        self._is_clean = False
        self._statistics: StatisticsHooks | None = None

    def has(self, *points: str) -> bool:
        """Whether a script would run at one of the points. Cheap, and never waits."""
        return any(self.scripts.of(point) for point in points)

    async def run(
        self,
        point: str,
        payload: str = "",
        *,
        vm_id: str = "",
        variables: Mapping[str, str] = NONE,
        is_strict: bool = False,
    ) -> str:
        """The payload as the scripts left it; as it was where there are none.

        Raises HookFailed, at the points whose failure refuses the operation; with `is_strict` at all. When cancelled,
        the script that runs is killed.
        """
        scripts = self.scripts.of(point)
        if not scripts:
            return payload
        from ovis.node.hooks import runner
        from ovis.node.hooks.errors import HookFailed
        from ovis.node.hooks.points import POINTS

        known = POINTS[point]
        if known.wants_root and self._root is not None and os.geteuid() != 0:
            return await self._run_as_root(point, payload, self._root())
        own = {"OVIS_LAUNCH_FOLDER": str(self.settings.launch_folder)}
        if vm_id:
            own["vmId"] = vm_id
        try:
            self._make_folder()
            outcome = await runner.run(
                known,
                scripts,
                payload.encode("utf-8", "surrogatepass"),
                environment=runner.environment_of(variables) | own,
                folder=self.settings.run_folder,
                seconds=self.settings.seconds,
            )
            text = outcome.payload.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            failure: HookFailed | None = HookFailed(point, "", str(error))
            text = payload
        else:
            failure = outcome.failure
        if failure is None:
            return text
        if known.refuses or is_strict:
            raise failure
        log.warning("%s; the operation goes on", failure)
        return text

    async def _run_as_root(self, point: str, payload: str, root: Root) -> str:
        from ovis.node.hooks.errors import HookFailed
        from ovis.node.hooks.points import POINTS
        from ovis.node.privileged.errors import PrivilegedError
        from ovis.node.privileged.hook_scripts import SPARE, RunHooks

        try:
            request = RunHooks(point=cast(Any, point), payload=payload)
            outcome = await root.call(request, seconds=self.settings.seconds + SPARE)
        except (PrivilegedError, OSError) as error:
            return str(self.refuse(point, str(error), instead=payload))
        if outcome.why:
            failure = HookFailed(point, outcome.script, outcome.why)
            if POINTS[point].refuses:
                raise failure
            log.warning("%s; the operation goes on", failure)
        return outcome.payload

    async def run_json(
        self,
        point: str,
        value: Any,
        *,
        vm_id: str = "",
        variables: Mapping[str, str] = NONE,
        is_strict: bool = False,
    ) -> Any:
        """As `run`, with a value of JSON (what the wire carries). Raises HookFailed, also for what is no JSON."""
        if not self.has(point):
            return value
        import msgspec

        given = msgspec.json.encode(value).decode()
        text = await self.run(point, given, vm_id=vm_id, variables=variables, is_strict=is_strict)
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            why = f"what the scripts left is no JSON: {error}"
            return self.refuse(point, why, instead=value, is_strict=is_strict)

    def refuse(self, point: str, why: str, *, instead: Any, is_strict: bool = False) -> Any:
        """What scripts left cannot be used: HookFailed where the point can refuse (or `is_strict`), else `instead`."""
        from ovis.node.hooks.errors import HookFailed
        from ovis.node.hooks.points import POINTS

        failure = HookFailed(point, "*", why)
        if POINTS[point].refuses or is_strict:
            raise failure
        log.warning("%s; it is left as it was", failure)
        return instead

    @property
    def statistics(self) -> StatisticsHooks | None:
        """Those around statistics; None as long as none was ever installed."""
        if self._statistics is None and self.scripts.is_there and self.has(*STATISTICS_POINTS):
            from ovis.node.hooks.statistics import StatisticsHooks

            self._statistics = StatisticsHooks(self)
        return self._statistics

    async def close(self) -> None:
        """End what runs in the background."""
        if self._statistics is not None:
            await self._statistics.close()

    def _make_folder(self) -> None:
        """What an agent that was killed has left there goes with the first run."""
        folder = self.settings.run_folder
        if not self._is_clean:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
            self._is_clean = True
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
