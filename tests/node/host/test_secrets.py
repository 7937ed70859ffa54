import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ovis.client.types import SecretInfo, SecretUsageType
from ovis.client.verbs import HostRegisterSecretsArgs, HostUnregisterSecretsArgs
from ovis.node.host.secrets import BadSecrets, NotRegistered, NotUnregistered, register_secrets, unregister_secrets
from ovis.node.hypervisor.secrets import Secret, SecretUse, description_of
from ovis.node.hypervisor.simulated import SimulatedHypervisor

ONE, TWO, FOREIGN = (f"6ff51a52-0e22-4e2a-9e0e-9f6a0c2d6d0{n}" for n in range(3))


class Host:
    def __init__(self) -> None:
        self.hypervisor = SimulatedHypervisor()

    async def register(self, *secrets: SecretInfo, clear: bool = False) -> None:
        await register_secrets(self, HostRegisterSecretsArgs(secrets=list(secrets), clear=clear))

    async def unregister(self, *ids: str) -> None:
        await unregister_secrets(self, HostUnregisterSecretsArgs(uuids=list(ids)))

    @property
    def kept(self) -> dict[str, Secret]:
        return self.hypervisor.secrets.kept


def info(secret_id: str = ONE, value: bytes = b"value", **changed: Any) -> SecretInfo:
    usual = {"usage_id": f"ovirt/{secret_id}", "usage_type": SecretUsageType.CEPH}
    return SecretInfo(uuid=secret_id, password=base64.b64encode(value).decode(), **{**usual, **changed})


def on_host(test: Callable[[Host], Awaitable[None]]) -> None:
    async def main() -> None:
        host = Host()
        try:
            await test(host)
        finally:
            await host.hypervisor.close()

    asyncio.run(main())


def test_secret_is_decoded_and_replaced_by_its_id() -> None:
    async def test(host: Host) -> None:
        await host.register(info(value=b"first"), info(TWO))
        await host.register(info(ONE.upper(), b"second", usage_type=SecretUsageType.VOLUME, usage_id="disk"))
        assert host.kept[ONE] == Secret(ONE, SecretUse.VOLUME, "disk", b"second")
        assert set(host.kept) == {ONE, TWO}

    on_host(test)


def test_clear_removes_the_others() -> None:
    async def test(host: Host) -> None:
        await host.register(info(ONE), info(TWO))
        await host.register(info(TWO), clear=True)
        assert set(host.kept) == {TWO}

    on_host(test)


def test_unregistered_twice_is_unregistered() -> None:
    async def test(host: Host) -> None:
        await host.register(info(ONE))
        for _ in range(2):
            await host.unregister(ONE.upper())
        assert not host.kept

    on_host(test)


@pytest.mark.parametrize(
    "bad",
    [
        SecretInfo(uuid=TWO, password="not base64!", usage_id="x", usage_type=SecretUsageType.ISCSI),
        info(TWO, b""),
        info(TWO, usage_id=""),
        info(TWO, usage_id="a\nb"),
        info(TWO, description="a\0b"),
        info(ONE, usage_id="other"),
        info(TWO, usage_id=f"ovirt/{ONE}"),
    ],
)
def test_all_are_checked_before_the_first_is_registered(bad: SecretInfo) -> None:
    async def test(host: Host) -> None:
        with pytest.raises(BadSecrets) as refused:
            await host.register(info(ONE), bad)
        assert refused.value.number == 1
        assert not host.kept

    on_host(test)


def test_secrets_of_others_are_left_alone() -> None:
    async def test(host: Host) -> None:
        host.hypervisor.secrets.foreign.add(FOREIGN)
        with pytest.raises(NotRegistered):
            await host.register(info(FOREIGN))
        with pytest.raises(NotUnregistered):
            await host.unregister(FOREIGN)

    on_host(test)


def test_description_tells_everything_but_the_value() -> None:
    text = description_of(Secret(ONE, SecretUse.CEPH, "a <b> & c", b"hidden", "for a & b"))
    assert "hidden" not in text
    assert "hidden" not in repr(Secret(ONE, SecretUse.CEPH, "a", b"hidden"))
    assert '<secret ephemeral="yes" private="yes">' in text
    assert '<usage type="ceph"><name>a &lt;b&gt; &amp; c</name></usage>' in text
