"""Why networks cannot be as they are wanted, or are not.

NetworkError
├── Wrong           the wish is not possible; nothing was changed; `error` is its name in the API
├── NotUp           the kernel refused a step, or did not do it; what was is back
├── NotConfirmed    no client reached the host in time; what was is back
├── NotRestored     the way back failed; the text says what is missing
└── ChangeRuns      another change is under way; nothing was done
"""

from __future__ import annotations

from ovis.node.errors import NodeError

PARAMS, ADDRESS, NIC, USED_NIC = "ERR_BAD_PARAMS", "ERR_BAD_ADDR", "ERR_BAD_NIC", "ERR_USED_NIC"
BONDING, VLAN, BRIDGE, USED_BOND = "ERR_BAD_BONDING", "ERR_BAD_VLAN", "ERR_BAD_BRIDGE", "ERR_USED_BOND"
OVS = "ERR_OVS_CONNECTION"
WRONG = frozenset({PARAMS, ADDRESS, NIC, USED_NIC, BONDING, VLAN, BRIDGE, USED_BOND, OVS})


class NetworkError(NodeError):
    """`field` is where in the call, such as `networks.red.vlan`; empty when it is none of it."""

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.problem, self.field = problem, field


class Wrong(NetworkError):
    def __init__(self, error: str, field: str, problem: str) -> None:
        super().__init__(problem, field)
        self.wire_name = error if error in WRONG else PARAMS


class NotUp(NetworkError):
    wire_name = "ERR_FAILED_IFUP"


class NotConfirmed(NetworkError):
    wire_name = "ERR_LOST_CONNECTION"


class NotRestored(NetworkError):
    wire_name = "ERR_FAILED_IFUP"


class ChangeRuns(NetworkError):
    wire_name = "ResourceUnavailable"
