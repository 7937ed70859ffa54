"""What a verb of the helper has at hand while it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ovis.node.privileged import commands
from ovis.node.privileged.protocol import CommandResult
from ovis.node.privileged.rules import Rules


@dataclass(frozen=True)
class Work:
    """`progress` tells the caller done and total bytes."""

    rules: Rules
    progress: Callable[[int, int], None] = lambda done, total: None
    iscsi_records: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while records of the iSCSI database change; the same for all calls of a helper."""

    async def run(
        self, *arguments: str, stdin: bytes = b"", grace: float = 3.0, descriptors: Sequence[int] = ()
    ) -> CommandResult:
        return await commands.run(arguments, stdin=stdin, grace=grace, descriptors=descriptors)
