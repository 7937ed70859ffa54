"""What a verb of the helper has at hand while it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ovis.node.privileged import commands
from ovis.node.privileged.protocol import CommandResult
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.ties import Ties


@dataclass(frozen=True)
class Work:
    """`progress` tells the caller done and total bytes."""

    rules: Rules
    progress: Callable[[int, int], None] = lambda done, total: None
    iscsi_records: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while records of the iSCSI database change; the same for all calls of a helper."""
    ties: Ties = field(default_factory=Ties)
    """Every command of the call has them open."""

    async def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        grace: float = 3.0,
        descriptors: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> CommandResult:
        """When the lease that it is tied to is lost it is killed without grace."""
        return await commands.run(
            arguments,
            stdin=stdin,
            grace=lambda: 0.0 if self.ties.is_lost else grace,
            descriptors=(*descriptors, *self.ties.descriptors),
            environment=environment,
            when_stuck=self.ties.leave,
        )
