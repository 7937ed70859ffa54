"""Hosts with the real agent, sanlock and libvirt, their storage a disk on the iSCSI target of another bed.

network "main":   the test ── agents
network "data":   iSCSI
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy.bed import project
from deploy.bed.hosts import Hosts
from deploy.bed.line import Job
from deploy.bed.machine import Bed
from deploy.bed.project import ENVIRONMENT
from tests.bed.parts.storage_hosts import CONFIG, DATA, MAIN, PATIENCE, POOL, PORT, StorageHost

GIB, MIB = 1 << 30, 1 << 20
TARGET = "iqn.2024-01.bed.ovis:shared"
UNIT = "/srv/unit"
COW, SPARSE = 4, 2


@dataclass(frozen=True)
class Extended:
    """`seen`: bytes of the device on the host that asked."""

    seconds: float
    seen: int
    error: str | None


class BlockHost(StorageHost):
    """`more`: further configuration."""

    def __init__(self, beds: Hosts, bed: Bed, number: int, *, more: str = "", hypervisor: str = "") -> None:
        super().__init__(beds, bed, number)
        text = CONFIG.format(port=PORT, group=self.group) + more
        if hypervisor:
            text = text.replace('uri = "simulated:"', hypervisor)
        bed.run(["tee", "/etc/ovisd.toml"], given=text.encode())

    @contextmanager
    def libvirt(self) -> Iterator[Any]:
        import libvirt

        libvirt.registerErrorHandler(lambda *_: None, None)  # or it prints each of them
        with self.beds.switch.entered():
            connection = libvirt.open(f"qemu+tcp://{self.beds.address(self.bed.name)}/system")
        try:
            yield connection
        finally:
            connection.close()

    @property
    def group(self) -> int:
        return int(self.bed.shell("getent group sanlock").split(":")[2])

    def log_in(self) -> str:
        """The disk's id."""
        server = {"connection": str(self.beds.address("server", DATA)), "iqn": TARGET, "id": str(uuid.uuid4())}

        def seen() -> str | None:
            statuses = self.call("StoragePool.connectStorageServer", domainType=3, connectionParams=[server])
            assert [status["status"] for status in statuses] == [0]
            found = self.call("Host.getDeviceList", checkStatus=False)
            return str(found[0]["GUID"]) if found else None

        return str(self.until("the disk is seen", seen))

    def make_block_domain(self, disk: str) -> str:
        domain = str(uuid.uuid4())
        group = self.call("LVMVolumeGroup.create", name=domain, devlist=[disk])
        new = {"domainType": 3, "typeArgs": group, "name": "shared", "domainClass": 1, "version": "5"}
        self.call("StorageDomain.create", storagedomainID=domain, **new)
        return domain

    def create_thin(self, domain: str, capacity: int, **more: Any) -> dict[str, str]:
        """The ids of a disk's only volume, as other verbs take them."""
        ids = {"storagedomainID": domain, "imageID": str(uuid.uuid4()), "volumeID": str(uuid.uuid4())}
        self.done("Volume.create", **ids, size=str(capacity), volFormat=COW, preallocate=SPARSE, **more)
        return ids

    def size(self, ids: dict[str, str]) -> int:
        """Of the volume, as this host's LVM reads it."""
        return int(self.call("Volume.getSize", storagepoolID=POOL, **ids)["truesize"])

    def begin_extending(self, domain: str, disks: list[dict[str, str]], size: int) -> Job:
        """Ask for all of them at once, by mail where this host is not SPM (extending.py); `extended` tells the end."""
        wish = {
            "host": self.number, "pool": POOL, "master": domain, "domain": domain, "group": self.group, "size": size,
            "volumes": [[ids["imageID"], ids["volumeID"]] for ids in disks],
        }  # fmt: skip
        environment = {**ENVIRONMENT, "PYTHONPATH": f"/run/python:{project.ROOT}/src"}
        words = [project.PYTHON, project.ROOT / "tests/bed/parts/extending.py"]
        return self.bed.begin(words, environment=environment, given=json.dumps(wish).encode())

    def active(self) -> set[str]:
        """Names of all logical volumes that are active on this host, as device mapper has them."""
        rows = self.bed.shell("dmsetup info -c --noheadings -o name --separator ' ' || true").splitlines()
        return {row.strip() for row in rows}


def extended(job: Job) -> dict[str, Extended]:
    """By volume."""
    told = {"out": b"", "err": b""}

    def receive(kind: str, data: bytes) -> None:
        told[kind] += data

    code = job.follow(receive, deadline=PATIENCE)
    assert code == 0, told["err"].decode()[-3000:]
    return {volume: Extended(*rest) for volume, rest in json.loads(told["out"]).items()}


def logical(bed: Bed, domain: str) -> dict[str, dict[str, Any]]:
    """Name -> row of LVM's report, past the agent."""
    words = "lvs --readonly --reportformat json --units b --nosuffix -o lv_name,lv_size,lv_tags"
    filters = 'devices { global_filter=["a|/dev/disk/by-id/dm-uuid-mpath-|", "r|.*|"] use_devicesfile=0 }'
    told = bed.run(["bash", "-c", f"{words} --config '{filters}' {domain}"], deadline=120).out
    return {row["lv_name"]: row for row in json.loads(told)["report"][0]["lv"]}


def serve_disk(beds: Hosts, size: int) -> Bed:
    """The bed "server"."""
    server = beds.start("server", networks=(MAIN, DATA), services=("udev", "tgt"), memory_mib=768)
    server.shell(f"""
        mkdir -p /srv; truncate -s {size} {UNIT}
        tgtadm --lld iscsi --op new --mode target --tid 1 -T {TARGET}
        tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b {UNIT}
        tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
    """)
    return server


@contextmanager
def block_hosts(
    beds: Hosts, *, size: int, more: str = "", hypervisor: str = "", memory_mib: int = 1024
) -> Iterator[list[BlockHost]]:
    """Both agents are started and see the disk; no domain is on it."""
    for name in ("server", "one", "two"):
        beds.address(name)
        beds.address(name, DATA)
    serve_disk(beds, size)
    services = ("udev", "iscsi", "multipath", "sanlock", *(("libvirt",) if hypervisor else ()))
    hosts = []
    for number, name in ((1, "one"), (2, "two")):
        bed = beds.start(name, networks=(MAIN, DATA), services=services, memory_mib=memory_mib)
        hosts.append(BlockHost(beds, bed, number, more=more, hypervisor=hypervisor))
    for host in hosts:
        host.start()
    yield hosts


def block_pool(hosts: list[BlockHost]) -> str:
    """All of them in a pool whose only domain is on the disk, the first one SPM. The domain's id."""
    disks = {host.log_in() for host in hosts}
    domain = hosts[0].make_block_domain(disks.pop())
    hosts[0].make_pool(domain)
    for host in hosts:
        host.join(domain)
    hosts[0].lead()
    return domain
