"""A hook that refuses an operation. A leaf of the tree in `ovis.node.errors`."""

from __future__ import annotations

from ovis.node.errors import NodeError


class HookFailed(NodeError):
    """At a point before an operation nothing of it has been done then."""

    wire_name = "HookError"

    def __init__(self, point: str, script: str, why: str) -> None:
        super().__init__(f"hook {point}{script and '/' + script} refused: {why}")
        self.point = point
        self.script = script
        self.why = why
