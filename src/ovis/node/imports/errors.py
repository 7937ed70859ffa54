"""Why an import is refused or fails. The tree is that of `ovis.node.errors`; these are its leaves for this package.

BadArchive            the OVA is damaged, hostile, or uses what is not supported; `member` says where
NoDescription         there is no OVF in it
BadDisk               a disk image must not be opened, or is not what was announced
BadTarget             a volume cannot take the disk
ConverterMissing      virt-v2v is not installed
ConversionFailed      tried; the target volumes hold unusable content
Interrupted           the agent was stopped or killed during the import
NoResult              the import has ended without a description
ConnectionFailed      the foreign hypervisor cannot be reached, or refuses
"""

from __future__ import annotations

from ovis.node.errors import BadParameter, NodeError


class BadArchive(BadParameter):
    def __init__(self, archive: str, problem: str, *, member: str = "") -> None:
        super().__init__(f"{archive}: {_shown(member)}" if member else archive, problem)
        self.member = member


class NoDescription(NodeError):
    wire_name = "V2VNoSuchOVF"

    def __init__(self, archive: str) -> None:
        super().__init__(f"{archive}: there is no description (a file named *.ovf) in it")


class BadDisk(BadParameter):
    def __init__(self, disk: str, problem: str) -> None:
        super().__init__(f"disk {_shown(disk)}", problem)


class BadTarget(BadParameter):
    def __init__(self, volume: str, problem: str) -> None:
        super().__init__(f"volume {volume}", problem)


class ConverterMissing(NodeError):
    wire_name = "UnsupportedOperation"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}: its guest must be converted by virt-v2v, which is not installed on this host "
            "(on Debian: apt install virt-v2v nbdkit libnbd-bin)"
        )


class ConversionFailed(NodeError):
    wire_name = "UnexpectedError"


class Interrupted(NodeError):
    wire_name = "UnexpectedError"

    def __init__(self) -> None:
        super().__init__("the agent was stopped during the import; the volumes hold unusable content")


class NoResult(NodeError):
    wire_name = "V2VNoSuchOVF"

    def __init__(self, job_id: str, phase: str) -> None:
        super().__init__(f"import {job_id} has no result: it is {phase}")


class ConnectionFailed(NodeError):
    wire_name = "V2VConnectionError"

    def __init__(self, uri: str, why: str) -> None:
        super().__init__(f"{uri}: {why}")


def _shown(name: str) -> str:
    """A name from a hostile source, without control characters and of bounded length."""
    return repr(name if len(name) <= 120 else f"{name[:120]}…")
