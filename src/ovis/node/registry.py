"""Which function answers which verb. The functions stand beside what they act on (vm/verbs.py, host/verbs.py …).

Modules that most agents never need (storage) are loaded at the first call of one of their verbs: an idle agent does not
carry them. `handlers.py` names them and their verbs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ovis.node.node import Node

Handler = Callable[["Node", Any], Any | Awaitable[Any]]
PeerRule = Callable[["Node", Any], bool]
F = TypeVar("F", bound=Callable[..., Any])

HANDLERS: dict[str, Handler] = {}
"""Filled by `verb` and `late` when `handlers.py` is imported."""

LATE_MODULES: dict[str, str] = {}
"""Verb -> the module that answers it once loaded."""

_LOADED: dict[str, Handler] = {}
"""The functions of the late modules that are loaded."""

PEER_RULES: dict[str, PeerRule] = {}


def verb(method: str) -> Callable[[F], F]:
    """Let the decorated function answer `Class.verb`.

    It gets the node and the verb's arguments (the class `<Class><Verb>Args` of ovis.client.verbs) and returns the typed
    result, or a msgspec.Raw that is sent as it is. A plain function answers on the spot and must never wait; an `async`
    one runs as a task under the verb's deadline.
    """

    def register(function: F) -> F:
        home = _LOADED if LATE_MODULES.get(method) == function.__module__ else HANDLERS
        if method in home:
            raise ValueError(f"{method} is answered twice: {home[method]} and {function}")
        home[method] = function
        return function

    return register


def late(module: str, methods: Iterable[str]) -> None:
    """Let `module`, which is not loaded yet, answer these verbs. Its functions are decorated with `verb` as usual."""
    for method in methods:
        early = HANDLERS.get(method)
        if early is not None and early.__module__ != module:
            raise ValueError(f"{method} is answered twice: {early} and {module}")
        if early is not None:  # somebody has loaded it before `handlers.py`, as a test does
            _LOADED[method] = early
        LATE_MODULES[method] = module
        HANDLERS[method] = _loading(module, method)


def _loading(module: str, method: str) -> Handler:
    async def load_and_answer(node: Node, arguments: Any) -> Any:
        if method not in _LOADED:
            await asyncio.to_thread(import_module, module)  # tens of milliseconds, which the loop would feel
        result = _LOADED[method](node, arguments)
        return await result if isawaitable(result) else result

    return load_and_answer


def also_for_peers(method: str) -> Callable[[F], F]:
    """Open `Class.verb` to other nodes (access `peer`) for those calls for which the decorated function says yes.

    It gets the node and the verb's arguments, and must not wait.
    """

    def register(function: F) -> F:
        PEER_RULES[method] = function
        return function

    return register
