"""Why a connection could not be made or ended. The number of `wire_name` is what the caller gets for it.

ConnectionProblem
├── WrongParameters     they do not describe a connection of this kind
├── UnknownKind         of storage
├── CannotMount         mount(8) failed, or something else is mounted there
│     └── UnknownFileSystem
├── NotUsable           connected, but the agent's user may not use it; it is disconnected again
├── LoginFailed, LoginRefused, LogoutFailed, InterfaceFailed, DiscoveryFailed      iSCSI
└── InUse               it stays connected
"""

from __future__ import annotations

from collections.abc import Collection

from ovis.node.storage.errors import StorageError


class ConnectionProblem(StorageError):
    wire_name = "StorageServerConnectionError"


class WrongParameters(ConnectionProblem):
    wire_name = "StorageServerValidationError"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"the connection's {field}: {problem}")
        self.field = field


class UnknownKind(ConnectionProblem):
    wire_name = "StorageTypeError"

    def __init__(self, kind: object) -> None:
        super().__init__(f"storage of the kind {kind} is not known here")
        self.kind = kind


class CannotMount(ConnectionProblem):
    wire_name = "MountError"

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"{server} cannot be mounted: {problem}")
        self.server, self.problem = server, problem


class UnknownFileSystem(CannotMount):
    wire_name = "MountTypeError"


class NotUsable(ConnectionProblem):
    wire_name = "StorageServerAccessPermissionError"

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"{server} is not connected, as the agent cannot use it: {problem}")
        self.server, self.problem = server, problem


class LoginFailed(ConnectionProblem):
    wire_name = "iSCSILoginError"

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"the login at {server} failed: {problem}")
        self.server, self.problem = server, problem


class LoginRefused(ConnectionProblem):
    wire_name = "iSCSILoginAuthError"

    def __init__(self, server: str) -> None:
        super().__init__(f"{server} refuses the user and password")
        self.server = server


class LogoutFailed(ConnectionProblem):
    wire_name = "iSCSILogoutError"

    def __init__(self, server: str, problem: str) -> None:
        super().__init__(f"the logout from {server} failed, it stays connected: {problem}")
        self.server, self.problem = server, problem


class InterfaceFailed(ConnectionProblem):
    wire_name = "iSCSIifaceError"

    def __init__(self, interface: str, problem: str) -> None:
        super().__init__(f"the iSCSI interface {interface} cannot be used: {problem}")
        self.interface, self.problem = interface, problem


class DiscoveryFailed(ConnectionProblem):
    wire_name = "iSCSIDiscoveryError"

    def __init__(self, portal: str, problem: str) -> None:
        super().__init__(f"the portal {portal} does not tell its targets: {problem}")
        self.portal, self.problem = portal, problem


class InUse(ConnectionProblem):
    wire_name = "StorageServerDisconnectionError"

    def __init__(self, server: str, users: Collection[str]) -> None:
        super().__init__(f"{server} stays connected, it is in use: {', '.join(sorted(users))}")
        self.server, self.users = server, users
