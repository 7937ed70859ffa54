"""The flow id: one word that ties together the log lines of a call, here and at the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_flow: ContextVar[str] = ContextVar("flow", default="")


def current() -> str:
    """The flow id of the call that runs now, or an empty string outside of calls."""
    return _flow.get()


@contextmanager
def entered(flow: str) -> Iterator[None]:
    """Everything inside, and the tasks started there, belongs to this flow."""
    token = _flow.set(flow)
    try:
        yield
    finally:
        _flow.reset(token)
