"""Hooks around a change of networks.

    {"request": {"networks": {...}, "bondings": {...}, "options": {...}}}     as on the wire

Before the change scripts may change the request or refuse it; after it, or after its failure, they are told of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from ovis.client import codec
from ovis.client.verbs import HostSetupNetworksArgs
from ovis.node.hooks.hooks import Hooks

VERB = "Host.setupNetworks"
BEFORE, AFTER, FAILED = "before_network_setup", "after_network_setup", "after_network_setup_fail"


@asynccontextmanager
async def around(hooks: Hooks, args: HostSetupNetworksArgs) -> AsyncIterator[HostSetupNetworksArgs]:
    """The request as the scripts left it. Raises HookFailed."""
    if not hooks.has(BEFORE, AFTER, FAILED):
        yield args
        return
    told = {"request": _request(args)}
    left = await hooks.run_json(BEFORE, told)
    if left != told:
        args = _arguments(hooks, left, args)
        told = {"request": _request(args)}
    try:
        yield args
    except Exception:
        await hooks.run_json(FAILED, told)
        raise
    await hooks.run_json(AFTER, told)


def _request(args: HostSetupNetworksArgs) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(codec.encode_arguments(args))
    return {name: told.get(name) or {} for name in ("networks", "bondings", "options")}


def _arguments(hooks: Hooks, left: Any, former: HostSetupNetworksArgs) -> HostSetupNetworksArgs:
    try:
        read: HostSetupNetworksArgs = codec.decode_arguments(VERB, msgspec.json.encode(left["request"]))
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        hooks.refuse(BEFORE, f"what the scripts left is no request: {error}", instead=None)
        return former
    return read
