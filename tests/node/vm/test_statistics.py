"""What is told of the devices of a VM."""

import asyncio
import uuid
from pathlib import Path

from vm_host import ID, vm_host

from ovis.client.types import VmDiskDevice
from ovis.node.vm import statistics

COUNT = 40
IMAGES = [str(uuid.uuid4()) for _ in range(COUNT)]
LEAVES = [str(uuid.uuid4()) for _ in range(COUNT)]
DOMAIN, POOL, TEMPLATE, BASE = (str(uuid.uuid4()) for _ in range(4))


def disk(number: int, folder: Path) -> str:
    return f"""<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='{folder}/{LEAVES[number]}'/>
      <backingStore type='file'><format type='raw'/><source file='{folder}/{BASE}'/><backingStore/></backingStore>
      <target dev='{target(number)}' bus='scsi'/></disk>"""


def target(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "sd" + (letters[number // 26 - 1] if number >= 26 else "") + letters[number % 26]


def group(number: int, folder: Path) -> str:
    nodes = ((TEMPLATE, BASE), (IMAGES[number], LEAVES[number]))
    chain = "".join(
        f"<volumeChainNode><domainID>{DOMAIN}</domainID><imageID>{image}</imageID><path>{folder}/{volume}</path>"
        f"<volumeID>{volume}</volumeID></volumeChainNode>"
        for image, volume in nodes
    )
    return f"""<device xmlns='http://ovirt.org/vm/1.0' devtype='disk' name='{target(number)}'><poolID>{POOL}</poolID>
      <domainID>{DOMAIN}</domainID><imageID>{IMAGES[number]}</imageID><volumeID>{LEAVES[number]}</volumeID>
      <volumeChain>{chain}</volumeChain></device>"""


def test_each_of_many_disks_is_told_with_its_chain_from_the_base_on(tmp_path: Path) -> None:
    for name in (BASE, *LEAVES, "plain"):
        (tmp_path / name).touch()
    plain = f"<disk type='file'><source file='{tmp_path}/plain'/><target dev='vda' bus='virtio'/></disk>"
    devices = "".join(disk(number, tmp_path) for number in range(COUNT)) + plain
    metadata = "".join(group(number, tmp_path) for number in range(COUNT))

    async def main() -> None:
        async with vm_host(tmp_path) as host:
            vm = await host.started(devices=devices, metadata=metadata)
            full = statistics.full_info(vm, now=0.0)
            disks = [device for device in full.devices or [] if isinstance(device, VmDiskDevice)]
            assert len(disks) == COUNT + 1
            for number, told in enumerate(disks[:COUNT]):
                assert (told.name, told.image_id, told.volume_id) == (target(number), IMAGES[number], LEAVES[number])
                assert (told.domain_id, told.pool_id) == (DOMAIN, POOL)
                assert [(x.image_id, x.volume_id, x.path) for x in told.volume_chain or []] == [
                    (TEMPLATE, BASE, f"{tmp_path}/{BASE}"),
                    (IMAGES[number], LEAVES[number], f"{tmp_path}/{LEAVES[number]}"),
                ]
            assert (disks[-1].volume_chain, disks[-1].volume_id) == (None, None)
            assert statistics.full_info(vm, now=1.0).devices is full.devices
            assert vm.id == ID

    asyncio.run(main())
