"""What an operation is going to do, once it is checked: the steps and claims of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovis.node.storage.claims import Claim

if TYPE_CHECKING:
    from ovis.node.storage.tasks.steps import Step


@dataclass(frozen=True)
class Plan:
    steps: tuple[Step, ...]
    claims: tuple[Claim, ...]
