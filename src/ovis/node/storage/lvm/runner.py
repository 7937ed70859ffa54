"""Who runs LVM for us: the privileged helper, or a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ovis.node.privileged.protocol import CommandResult

ConfigValue = int | str | list[str]


class LvmRunner(Protocol):
    async def run(
        self, arguments: Sequence[str], *, config: Mapping[str, ConfigValue], devices: Sequence[str], seconds: float
    ) -> CommandResult:
        """`lvm` with these arguments in the C locale, ended after `seconds`. An exit code other than 0 is a result.
        `devices`: it looks at these alone; empty: at those that the filter in `config` admits.

        Raises PrivilegedError when it could not be run (then nothing was done) or was ended (then anything was)."""
