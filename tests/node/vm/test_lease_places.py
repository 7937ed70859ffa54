import asyncio
from pathlib import Path

import pytest
from lxml import etree
from vm_host import vm_host

from ovis.node.errors import BadParameter
from ovis.node.vm import lease_places, safe_xml
from ovis.node.vm.lease_places import LeasePlace, NoLease, NoStorage

DOMAIN, VM, IMAGE, VOLUME = (f"{digit * 8}-0000-4000-8000-000000000001" for digit in "abcd")
LEASE = "<lease><key>{key}</key><lockspace>{domain}</lockspace>{target}</lease>"
PLACEHOLDERS = f'<target offset="LEASE-OFFSET:{VM}:{DOMAIN}" path="LEASE-PATH:{VM}:{DOMAIN}"/>'
METADATA = f"""<metadata xmlns:ovirt-vm="http://ovirt.org/vm/1.0"><ovirt-vm:vm>
<ovirt-vm:device devtype="disk" name="vda"><ovirt-vm:domainID>{DOMAIN}</ovirt-vm:domainID>
<ovirt-vm:imageID>{IMAGE}</ovirt-vm:imageID><ovirt-vm:volumeID>{VOLUME}</ovirt-vm:volumeID></ovirt-vm:device>
</ovirt-vm:vm></metadata>"""


class Places:
    async def find(self, domain_id: str, lease_id: str) -> LeasePlace:
        if (domain_id, lease_id) != (DOMAIN, VM):
            raise NoLease("no such lease")
        return LeasePlace("/xleases", 3 << 20)

    async def of_volume(self, domain_id: str, image_id: str, volume_id: str) -> LeasePlace:
        assert (domain_id, image_id, volume_id) == (DOMAIN, IMAGE, VOLUME)
        return LeasePlace("/volume.lease", 0)

    async def is_held(self, domain_id: str, lease_id: str, place: LeasePlace) -> bool:
        raise NotImplementedError


def filled(*leases: str, metadata: str = "") -> list[tuple[str | None, str | None]]:
    root = safe_xml.parse(f"<domain>{metadata}<devices>{''.join(leases)}</devices></domain>", "xml")
    asyncio.run(lease_places.in_description(Places(), root, "xml"))
    targets = root.findall("devices/lease/target")
    return [(target.get("path"), target.get("offset")) for target in targets]


@pytest.mark.parametrize("target", [PLACEHOLDERS, "", '<target path="/etc/shadow" offset="0"/>'])
def test_storage_says_where_a_lease_lies(target: str) -> None:
    assert filled(LEASE.format(key=VM, domain=DOMAIN, target=target)) == [("/xleases", str(3 << 20))]


def test_the_lease_of_a_volume_that_a_disk_uses() -> None:
    leases = [LEASE.format(key=key, domain=DOMAIN, target="") for key in (VM, VOLUME)]
    assert filled(*leases, metadata=METADATA) == [("/xleases", str(3 << 20)), ("/volume.lease", "0")]


@pytest.mark.parametrize("lease", [LEASE.format(key=VOLUME, domain=DOMAIN, target=""), "<lease><key>x</key></lease>"])
def test_a_lease_that_is_not_known_is_refused(lease: str) -> None:
    with pytest.raises(BadParameter, match="devices/lease"):
        filled(lease)


def test_without_storage_no_lease(tmp_path: Path) -> None:
    root = etree.fromstring(f"<d><devices>{LEASE.format(key=VM, domain=DOMAIN, target='')}</devices></d>")
    with pytest.raises(BadParameter, match="is not connected"):
        asyncio.run(lease_places.in_description(NoStorage(), root, "xml"))


class OneHost(Places):
    def __init__(self, *, held: bool | None) -> None:
        self.held = held

    async def is_held(self, domain_id: str, lease_id: str, place: LeasePlace) -> bool:
        assert (domain_id, lease_id, place) == (DOMAIN, VM, LeasePlace("/xleases", 3 << 20))
        if self.held is None:
            raise NoLease("storage does not answer")
        return self.held


@pytest.mark.parametrize(("held", "status"), [(True, "Powering up"), (None, "Powering up"), (False, "Down")])
def test_a_vm_whose_lease_was_not_taken_is_ended(tmp_path: Path, held: bool | None, status: str) -> None:
    async def main() -> None:
        async with vm_host(tmp_path) as host:
            host.vms.leases = OneHost(held=held)
            vm = await host.started(devices=LEASE.format(key=VM, domain=DOMAIN, target=PLACEHOLDERS))
            assert host.statuses() == [status]
            assert [info.id for info in await host.hypervisor.domains()] == ([] if vm.is_down else [vm.id])
            if vm.exit is not None:
                assert "lock_manager" in vm.exit.message

    asyncio.run(main())
