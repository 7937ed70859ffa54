"""What goes wrong on purpose. Calls are named as the methods of the interface ("create", "set_metadata")."""

import asyncio
from dataclasses import dataclass, field

from ovis.node.hypervisor.errors import HypervisorError, OperationFailed


@dataclass
class _Failure:
    call: str
    domain_id: str | None
    error: HypervisorError
    left: int
    after: bool


@dataclass
class _Hang:
    call: str
    domain_id: str | None
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    def __init__(self) -> None:
        self._failures: list[_Failure] = []
        self._hangs: list[_Hang] = []
        self._latency: dict[str, float] = {}

    def fail(
        self,
        call: str,
        *,
        domain_id: str | None = None,
        times: int = 1,
        error: HypervisorError | None = None,
        after: bool = False,
    ) -> None:
        """The next `times` such calls raise `error`; with `after` the call does its work first."""
        self._failures.append(
            _Failure(call, domain_id, error or OperationFailed(f"{call} was told to fail"), times, after)
        )

    def hang(self, call: str, *, domain_id: str | None = None) -> None:
        """Such calls do nothing until `release`; their deadline ends them."""
        self._hangs.append(_Hang(call, domain_id))

    def release(self) -> None:
        """Calls that hang now go on and do their work."""
        for hang in self._hangs:
            hang.released.set()
        self._hangs.clear()

    def delay(self, call: str, seconds: float) -> None:
        """How long each such call takes from now on; "*" for all that are not named."""
        self._latency[call] = seconds

    def clear(self) -> None:
        self.release()
        self._failures.clear()
        self._latency.clear()

    def latency(self, call: str) -> float:
        return self._latency.get(call, self._latency.get("*", 0.0)) if self._latency else 0.0

    def hanging(self, call: str, domain_id: str | None) -> asyncio.Event | None:
        return next((h.released for h in self._hangs if _matches(h, call, domain_id)), None)

    def check(self, call: str, domain_id: str | None, *, after: bool) -> None:
        for failure in self._failures:
            if failure.after is after and _matches(failure, call, domain_id):
                failure.left -= 1
                if failure.left <= 0:
                    self._failures.remove(failure)
                raise failure.error


def _matches(fault: _Failure | _Hang, call: str, domain_id: str | None) -> bool:
    return fault.call == call and fault.domain_id in (None, domain_id)
