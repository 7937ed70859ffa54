"""LVM through the root helper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovis.node.privileged.client import Root
from ovis.node.privileged.lvm import RunLvm
from ovis.node.privileged.protocol import CommandResult
from ovis.node.storage.leases import held
from ovis.node.storage.lvm.runner import ConfigValue


class PrivilegedLvm:
    def __init__(self, root: Root) -> None:
        self._root = root

    async def run(
        self, arguments: Sequence[str], *, config: Mapping[str, ConfigValue], devices: Sequence[str], seconds: float
    ) -> CommandResult:
        request = RunLvm(
            arguments=tuple(arguments), config=dict(config), devices=tuple(devices), unleased=held.why_without()
        )
        return await self._root.call(request, seconds=seconds)
