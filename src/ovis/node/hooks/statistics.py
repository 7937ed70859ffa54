"""Hooks around statistics. Nobody who asks for statistics waits for a script.

The scripts run in the background on the statistics of the moment. What they changed is kept as a difference, and put
over all that is told until they have run again: the numbers that they leave alone are always those of now, and a script
that hangs or fails leaves the changes of its last good run in force.

    asked ──> told: statistics of now + last difference ──> last run older than the period? run in the background
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ovis.node.hooks.difference import difference, keyed, patched, unkeyed
from ovis.node.hooks.errors import HookFailed

if TYPE_CHECKING:
    from ovis.node.hooks.hooks import Hooks

log = logging.getLogger(__name__)

STALE = 300.0
"""Seconds of failures after which the last difference is no longer told."""
AT_ONCE = 4
"""Runs in the background."""
FIRST_WAITS = 10.0
VMS_MOST = 10_000


class StatisticsHooks:
    """`clock`: monotonic seconds."""

    def __init__(self, hooks: Hooks, clock: Callable[[], float] = time.monotonic) -> None:
        self._hooks = hooks
        self._clock = clock
        self._layers: dict[tuple[str, str], _Layer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def told(self, name: str, current: bytes, *, vm_id: str = "") -> bytes:
        """`name`: of the points without their before_ and after_. `current`: the result as JSON."""
        if not self._hooks.has(f"before_{name}", f"after_{name}"):
            return current
        layer = self._layer(name, vm_id)
        self._refresh(layer, current)
        return layer.over(current, self._clock())

    async def told_soon(self, name: str, current: bytes) -> bytes:
        """As `told`, but waits some seconds for the scripts to have seen this result."""
        if not self._hooks.has(f"before_{name}", f"after_{name}"):
            return current
        layer = self._layer(name, "")
        task = layer.task or self._begin(layer, current)
        await asyncio.wait({task}, timeout=min(FIRST_WAITS, self._hooks.settings.seconds))
        return layer.over(current, self._clock())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _layer(self, name: str, vm_id: str) -> _Layer:
        key = name, vm_id
        if key not in self._layers:
            if len(self._layers) > VMS_MOST:  # VMs that are gone
                self._layers = {key: layer for key, layer in self._layers.items() if layer.task is not None}
            self._layers[key] = _Layer(name, vm_id)
        return self._layers[key]

    def _refresh(self, layer: _Layer, current: bytes) -> None:
        period = self._hooks.settings.statistics_period
        is_due = layer.begun is None or self._clock() - layer.begun >= period
        if is_due and layer.task is None:
            self._begin(layer, current)

    def _begin(self, layer: _Layer, current: bytes) -> asyncio.Task[None]:
        layer.begun = self._clock()
        layer.task = asyncio.get_running_loop().create_task(self._run(layer, current), name=f"hooks {layer.name}")
        self._tasks.add(layer.task)
        layer.task.add_done_callback(self._tasks.discard)
        return layer.task

    async def _run(self, layer: _Layer, current: bytes) -> None:
        try:
            async with self._room:
                before = msgspec.json.decode(current)
                await self._hooks.run_json(f"before_{layer.name}", {}, vm_id=layer.vm_id, is_strict=True)
                after = await self._hooks.run_json(f"after_{layer.name}", before, vm_id=layer.vm_id, is_strict=True)
            layer.difference = difference(keyed(before), keyed(after))
            self._succeeded(layer)
        except HookFailed as error:
            self._failed(layer, str(error))
        except (KeyError, TypeError, AttributeError) as error:  # a script may have left anything
            self._failed(layer, f"after_{layer.name}: what the scripts left are no such statistics: {error!r}")
        finally:
            layer.task = None

    def _succeeded(self, layer: _Layer) -> None:
        if layer.failing_since is not None:
            log.info("the hooks of %s work again", layer.name)
        layer.failing_since = None

    def _failed(self, layer: _Layer, why: str) -> None:
        """Only the first of a row is told."""
        if layer.failing_since is None:
            layer.failing_since = self._clock()
            log.warning("%s; the statistics are told as before", why)


class _Layer:
    """What the scripts of one pair of points put over its results."""

    def __init__(self, name: str, vm_id: str) -> None:
        self.name = name
        self.vm_id = vm_id
        self.begun: float | None = None
        self.failing_since: float | None = None
        self.difference: Any = None
        self.task: asyncio.Task[None] | None = None

    def over(self, current: bytes, now: float) -> bytes:
        if not self.difference:
            return current
        if self.failing_since is not None and now - self.failing_since > STALE:
            log.warning("the hooks of %s have failed for %.0f s: nothing of them is told", self.name, STALE)
            self.difference = None
            return current
        value = msgspec.json.decode(current)
        return msgspec.json.encode(unkeyed(value, patched(keyed(value), self.difference)))
