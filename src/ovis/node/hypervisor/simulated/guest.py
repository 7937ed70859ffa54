"""How the system inside a simulated VM behaves, and what its guest agent answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Answer = object | Callable[[Mapping[str, object]], object]

ANSWERS: dict[str, Answer] = {
    "guest-ping": {},
    "guest-info": {"version": "7.2.0", "supported_commands": []},
    "guest-get-host-name": {"host-name": "simulated"},
    "guest-get-osinfo": {
        "id": "debian",
        "name": "Debian GNU/Linux",
        "pretty-name": "Debian GNU/Linux 12 (bookworm)",
        "version-id": "12",
        "kernel-release": "6.1.0-simulated",
        "machine": "x86_64",
    },
    "guest-get-timezone": {"zone": "UTC", "offset": 0},
    "guest-get-users": [{"user": "root", "login-time": 1.0}],
    "guest-get-fsinfo": [],
    "guest-network-get-interfaces": [
        {
            "name": "lo",
            "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}],
        },
        {
            "name": "eth0",
            "hardware-address": "52:54:00:00:00:01",
            "ip-addresses": [{"ip-address": "192.0.2.10", "ip-address-type": "ipv4", "prefix": 24}],
        },
    ],
    "guest-fsfreeze-freeze": 0,
    "guest-fsfreeze-thaw": 0,
    "guest-fsfreeze-status": "thawed",
}


@dataclass
class Guest:
    """Times in seconds of the clock; None: never.

    An agent answers only when the domain XML has its channel (org.qemu.guest_agent.0).
    """

    agent_after: float | None = 0.0
    acpi_shutdown_after: float | None = 0.0
    agent_shutdown_after: float | None = 0.0
    answers: dict[str, Answer] = field(default_factory=dict)

    def answer(self, execute: str, arguments: Mapping[str, object]) -> object:
        """Raises LookupError for a command that the agent does not know."""
        found = self.answers[execute] if execute in self.answers else ANSWERS[execute]
        return found(arguments) if callable(found) else found
