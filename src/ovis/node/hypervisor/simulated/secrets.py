"""Secrets in memory. `foreign`: ids of such as an administrator may have put there."""

import asyncio
from collections.abc import Collection

from ovis.node.hypervisor.errors import OperationFailed, OperationRefused
from ovis.node.hypervisor.secrets import Secret


class SimulatedSecrets:
    def __init__(self) -> None:
        self.kept: dict[str, Secret] = {}
        self.foreign: set[str] = set()

    async def put(self, secret: Secret, *, deadline: float | None = None) -> None:
        await asyncio.sleep(0)
        self._check(secret.id)
        self.kept.pop(secret.id, None)
        if any((other.use, other.usage) == (secret.use, secret.usage) for other in self.kept.values()):
            raise OperationFailed(f"another secret is defined for {secret.usage} already")
        self.kept[secret.id] = secret

    async def remove(self, ids: Collection[str], *, deadline: float | None = None) -> None:
        await asyncio.sleep(0)
        for secret_id in ids:
            self._check(secret_id)
            self.kept.pop(secret_id, None)

    async def ours(self, *, deadline: float | None = None) -> set[str]:
        await asyncio.sleep(0)
        return set(self.kept)

    def _check(self, secret_id: str) -> None:
        if secret_id in self.foreign:
            raise OperationRefused(f"secret {secret_id} was not made by this agent")
