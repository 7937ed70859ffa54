"""What rules can see and change: the host, its guests, their disks. Nothing else can be reached from rules.

Memory is in KiB, as policies expect.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Value = object
"""A number, text, None, a list, an entity or a function of the rules."""


class Unknown(Exception):
    """No such value, or no such method."""


class Entity:
    """`read` is NAME.value, `call` is (NAME.method ...). Both raise Unknown."""

    def read(self, name: str) -> Value:
        raise Unknown(f"has no {name}")

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        methods = self.methods()
        if name not in methods:
            raise Unknown(f"has no {name}")
        method, count = methods[name]
        if len(arguments) != count:
            raise Unknown(f"{name} takes {count} arguments, not {len(arguments)}")
        return method(*arguments)

    def methods(self) -> Mapping[str, tuple[Callable[..., Value], int]]:
        return {}


@dataclass
class Watched(Entity):
    """`rows`: what was measured, the latest last. `variables` last from one evaluation to the next, `controls` do not.

    What a row holds as None is not known.
    """

    name: str
    properties: Mapping[str, Value] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Value]] = ()
    variables: dict[str, Value] = field(default_factory=dict)
    controls: dict[str, Value] = field(default_factory=dict)

    def read(self, name: str) -> Value:
        for known in (self.rows[-1] if self.rows else {}, self.properties, self.variables):
            if name in known:
                return known[name]
        raise Unknown(f"has no {name}")

    def methods(self) -> Mapping[str, tuple[Callable[..., Value], int]]:
        return {
            "Prop": (self.properties.get, 1),
            "Stat": (self._stat, 1),
            "StatAvg": (self._average, 1),
            "StatStdDeviation": (self._deviation, 1),
            "SetVar": (self._set_variable, 2),
            "GetVar": (self.variables.get, 1),
            "Control": (self._control, 2),
            "GetControl": (self.controls.get, 1),
        }

    def _stat(self, name: str) -> Value:
        if not self.rows or name not in self.rows[-1]:
            raise Unknown(f"has no statistic {name}")
        return self.rows[-1][name]

    def _numbers(self, name: str) -> list[float]:
        self._stat(name)
        values = [row.get(name) for row in self.rows]
        return [value for value in values if isinstance(value, int | float)]

    def _average(self, name: str) -> float | None:
        numbers = self._numbers(name)
        return statistics.fmean(numbers) if numbers else None

    def _deviation(self, name: str) -> float | None:
        numbers = self._numbers(name)
        return statistics.pstdev(numbers) if numbers else None

    def _set_variable(self, name: str, value: Value) -> Value:
        self.variables[name] = value
        return value

    def _control(self, name: str, value: Value) -> Value:
        self.controls[name] = self.check_control(name, value)
        return value

    def check_control(self, name: str, value: Value) -> Value:
        """As it is kept. Raises Unknown."""
        return value


LIMITS = {
    "setTotalBytesSec": "total_bytes_sec",
    "setReadBytesSec": "read_bytes_sec",
    "setWriteBytesSec": "write_bytes_sec",
    "setTotalIopsSec": "total_iops_sec",
    "setReadIopsSec": "read_iops_sec",
    "setWriteIopsSec": "write_iops_sec",
}


@dataclass
class Numbers(Entity):
    values: Mapping[str, int]

    def read(self, name: str) -> Value:
        if name not in self.values:
            raise Unknown(f"has no {name}")
        return self.values[name]


@dataclass
class DiskTune(Entity):
    """One disk with its range. `wished`: what rules have set; a limit of 0 is none."""

    target: str
    guaranteed: Mapping[str, int]
    maximum: Mapping[str, int]
    current: Mapping[str, int]
    wished: dict[str, int] = field(default_factory=dict)

    def read(self, name: str) -> Value:
        if name == "name":
            return self.target
        groups = {"guaranteed": self.guaranteed, "maximum": self.maximum, "current": {**self.current, **self.wished}}
        if name not in groups:
            raise Unknown(f"has no {name}")
        return Numbers(groups[name])

    def methods(self) -> Mapping[str, tuple[Callable[..., Value], int]]:
        def setter(limit: str) -> Callable[[Value], Value]:
            def wish(value: Value) -> Value:
                if not isinstance(value, int | float) or value < 0:
                    raise Unknown(f"{limit} cannot be {value!r}")
                self.wished[limit] = int(value)
                return value

            return wish

        return {name: (setter(limit), 1) for name, limit in LIMITS.items()}

    @property
    def result(self) -> Mapping[str, int]:
        return {**self.current, **self.wished}
