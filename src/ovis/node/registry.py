"""Which function answers which verb. The functions stand beside what they act on (vm/verbs.py, host/verbs.py …)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ovis.node.node import Node

Handler = Callable[["Node", Any], Any | Awaitable[Any]]
PeerRule = Callable[["Node", Any], bool]
F = TypeVar("F", bound=Callable[..., Any])

HANDLERS: dict[str, Handler] = {}
"""Filled by `verb` when the modules of `node.py` are imported."""

PEER_RULES: dict[str, PeerRule] = {}


def verb(method: str) -> Callable[[F], F]:
    """Let the decorated function answer `Class.verb`.

    It gets the node and the verb's arguments (the class `<Class><Verb>Args` of ovis.client.verbs) and returns the typed
    result, or a msgspec.Raw that is sent as it is. A plain function answers on the spot and must never wait; an `async`
    one runs as a task under the verb's deadline.
    """

    def register(function: F) -> F:
        if method in HANDLERS:
            raise ValueError(f"{method} is answered twice: {HANDLERS[method]} and {function}")
        HANDLERS[method] = function
        return function

    return register


def also_for_peers(method: str) -> Callable[[F], F]:
    """Open `Class.verb` to other nodes (access `peer`) for those calls for which the decorated function says yes.

    It gets the node and the verb's arguments, and must not wait.
    """

    def register(function: F) -> F:
        PEER_RULES[method] = function
        return function

    return register
