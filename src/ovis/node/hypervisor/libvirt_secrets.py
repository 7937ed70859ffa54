"""Secrets in libvirt. Source: libvirt virSecretDefineXML, virSecretSetValue."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import libvirt

from ovis.node.hypervisor.domain_xml import parse
from ovis.node.hypervisor.errors import OperationRefused
from ovis.node.hypervisor.secrets import MARK, Secret, SecretUse, description_of

if TYPE_CHECKING:
    from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor

_TYPES = {
    SecretUse.CEPH: libvirt.VIR_SECRET_USAGE_TYPE_CEPH,
    SecretUse.ISCSI: libvirt.VIR_SECRET_USAGE_TYPE_ISCSI,
    SecretUse.VOLUME: libvirt.VIR_SECRET_USAGE_TYPE_VOLUME,
}


class LibvirtSecrets:
    def __init__(self, hypervisor: LibvirtHypervisor) -> None:
        self._hypervisor = hypervisor

    async def put(self, secret: Secret, *, deadline: float | None = None) -> None:
        await self._hypervisor.call("slow", "put a secret", lambda connection: _put(connection, secret), deadline)

    async def remove(self, ids: Collection[str], *, deadline: float | None = None) -> None:
        def work(connection: libvirt.virConnect) -> None:
            for secret_id in ids:
                if (found := _ours(connection, secret_id)) is not None:
                    _undefine(found)

        await self._hypervisor.call("slow", "remove secrets", work, deadline)

    async def ours(self, *, deadline: float | None = None) -> set[str]:
        def work(connection: libvirt.virConnect) -> set[str]:
            return {secret.UUIDString() for secret in connection.listAllSecrets(0) if _is_ours(secret)}

        return await self._hypervisor.call("slow", "list secrets", work, deadline)


def _put(connection: libvirt.virConnect, secret: Secret) -> None:
    former = _ours(connection, secret.id)
    if former is not None and (former.usageType(), former.usageID()) != (_TYPES[secret.use], secret.usage):
        _undefine(former)  # libvirt changes the usage of none
    defined = connection.secretDefineXML(description_of(secret), 0)
    try:
        defined.setValue(secret.value, 0)
    except libvirt.libvirtError:
        _undefine(defined)
        raise


def _ours(connection: libvirt.virConnect, secret_id: str) -> libvirt.virSecret | None:
    try:
        found = connection.secretLookupByUUIDString(secret_id)
        if _is_ours(found):
            return found
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:
            return None
        raise
    raise OperationRefused(f"secret {secret_id} was not made by this agent")


def _is_ours(secret: libvirt.virSecret) -> bool:
    try:
        return (parse(secret.XMLDesc(0)).findtext("description") or "").startswith(MARK)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:  # it went this moment
            return False
        raise


def _undefine(secret: libvirt.virSecret) -> None:
    try:
        secret.undefine()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
            raise
