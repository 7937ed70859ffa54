"""What was there before: a file for each step that changes something, written before the change.

The first record of a step is the one that undo returns to; applying again never overwrites it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ovis.node.setup.errors import SetupError
from ovis.node.setup.machine import Machine

FOLDER = "/var/lib/ovis/setup"


@dataclass(frozen=True)
class Records:
    machine: Machine

    def read(self, step: str) -> dict[str, Any] | None:
        """None: the step has changed nothing. Raises SetupError for one that cannot be understood."""
        path = self.machine.path(f"{FOLDER}/{step}.json")
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise SetupError(f"{path} is damaged: {error}; what was before step {step} is not known") from error
        if not isinstance(found, dict):
            raise SetupError(f"{path} is damaged: no object")
        return found

    def write(self, step: str, record: dict[str, Any]) -> None:
        self.machine.write(f"{FOLDER}/{step}.json", json.dumps(record, indent=1).encode(), mode=0o600)

    def forget(self, step: str) -> None:
        self.machine.remove(f"{FOLDER}/{step}.json")
