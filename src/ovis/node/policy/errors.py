"""What can be wrong with rules, always with the place."""

from __future__ import annotations

from dataclasses import dataclass

from ovis.node.errors import NodeError


@dataclass(frozen=True, slots=True)
class Place:
    """Counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class RuleError(Exception):
    """The rules cannot be read, or went wrong while they ran."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


class NoValue(RuleError):
    """A statistic that nobody has told was reckoned with, as that of a guest without a balloon driver."""


class PolicyRefused(NodeError):
    wire_name = "MOMPolicyUpdateFailed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the host's policy stays as it was: {problem}")
        self.problem = problem
