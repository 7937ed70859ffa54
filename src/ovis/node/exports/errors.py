"""Why an export is refused or fails. The tree is that of `ovis.node.errors`; these are its leaves for this package.

BadDisk        a disk cannot be read now
ExportFailed   tried; nothing of the archive is left
Interrupted    the agent was stopped or killed during the export
"""

from __future__ import annotations

from ovis.node.errors import BadParameter, NodeError


class BadDisk(BadParameter):
    def __init__(self, volume: str, problem: str) -> None:
        super().__init__(f"disk {volume}", problem)


class ExportFailed(NodeError):
    wire_name = "UnexpectedError"


class Interrupted(NodeError):
    wire_name = "UnexpectedError"

    def __init__(self, path: str) -> None:
        super().__init__(f"the agent was stopped during the export; {path} is whole if it is there")
