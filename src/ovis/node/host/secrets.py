"""Secrets for storage of VMs: Host.registerSecrets and Host.unregisterSecrets.

They are in the hypervisor's memory alone. The agent keeps none, and removes at its start what it finds of its own:
whoever registered them does so again when it meets the agent anew.
"""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from ovis.client.types import SecretInfo
from ovis.client.verbs import HostRegisterSecretsArgs, HostUnregisterSecretsArgs
from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import HypervisorError
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.secrets import Secret, SecretUse
from ovis.node.registry import verb


class BadSecrets(NodeError):
    """`number`: which of the list, from 0. Nothing was registered."""

    wire_name = "BadSecretRequest"

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"secrets[{number}]: {problem}; none was registered")
        self.number = number


class NotRegistered(NodeError):
    wire_name = "SecretRegistrationFailed"

    def __init__(self, secret_id: str, problem: str) -> None:
        super().__init__(f"secret {secret_id} could not be registered: {problem}; those before it in the list are")
        self.secret_id = secret_id


class NotUnregistered(NodeError):
    wire_name = "SecretUnregistrationFailed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"some secrets could not be removed: {problem}")


class WithHypervisor(Protocol):
    @property
    def hypervisor(self) -> Hypervisor: ...


@verb("Host.registerSecrets")
async def register_secrets(node: WithHypervisor, args: HostRegisterSecretsArgs) -> None:
    await register(node.hypervisor, args.secrets, clear=args.clear)


@verb("Host.unregisterSecrets")
async def unregister_secrets(node: WithHypervisor, args: HostUnregisterSecretsArgs) -> None:
    try:
        await node.hypervisor.secrets.remove([secret_id.lower() for secret_id in args.uuids])
    except HypervisorError as error:
        raise NotUnregistered(str(error)) from error


async def register(hypervisor: Hypervisor, given: list[SecretInfo], *, clear: bool) -> None:
    """Raises BadSecrets, NotRegistered, NotUnregistered."""
    wanted = [_checked(number, info) for number, info in enumerate(given)]
    _check_distinct(wanted)
    if clear:
        try:
            await hypervisor.secrets.remove(await hypervisor.secrets.ours() - {secret.id for secret in wanted})
        except HypervisorError as error:
            raise NotUnregistered(str(error)) from error
    for secret in wanted:
        try:
            await hypervisor.secrets.put(secret)
        except HypervisorError as error:
            raise NotRegistered(secret.id, str(error)) from error


def _checked(number: int, info: SecretInfo) -> Secret:
    try:
        value = base64.b64decode(info.password, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecrets(number, "the password is not base64") from None
    if not value:
        raise BadSecrets(number, "the password is empty")
    for name, text in (("usageID", info.usage_id), ("description", info.description or "")):
        if not text.isprintable():
            raise BadSecrets(number, f"{name} holds control characters")
    if not info.usage_id:
        raise BadSecrets(number, "usageID is empty")
    return Secret(info.uuid.lower(), SecretUse(info.usage_type.value), info.usage_id, value, info.description or "")


def _check_distinct(wanted: list[Secret]) -> None:
    ids, usages = set[str](), set[tuple[SecretUse, str]]()
    for number, secret in enumerate(wanted):
        if secret.id in ids or (secret.use, secret.usage) in usages:
            raise BadSecrets(number, "an earlier one has the same uuid or the same usage")
        ids.add(secret.id)
        usages.add((secret.use, secret.usage))
