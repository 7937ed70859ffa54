"""Block domains are read by a reader, and ours reads what a writer wrote, that know the layout alone."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ovis.node.storage.domains.block_domain import open_block_domain
from ovis.node.storage.formats.identifiers import NOTHING, DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_tags import Removal
from tests.bed.parts.block import GIB, block_domain, block_host, metadata_of, new_image, new_volume
from tests.bed.parts.loop import loop_device
from tests.bed.parts.programs import run
from tests.bed.parts.volume_group import report

sys.path.insert(0, str(Path(__file__).parents[1] / "independent_reader"))
import plain_reader
import plain_writer

LAYOUT = {"metadata": 128, "ids": 8, "leases": 2048, "xleases": 1024, "inbox": 16, "outbox": 16, "master": 1024}
"""MiB, as the layout says; LVM makes whole extents of 128 of them."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "disks").mkdir()
    with loop_device(tmp_path / "disks", 16 * GIB) as made:
        yield made


def tags(command: str, name: str) -> list[str]:
    (row,) = report(command, "-o", "tags", name)
    return [tag for tag in str(row["vg_tags" if command == "vgs" else "lv_tags"]).split(",") if tag]


def described(domain: str, version: int, slot: int) -> dict[str, Any]:
    with Path(f"/dev/{domain}/metadata").open("rb") as area:
        table: dict[str, Any] = plain_reader.volume_in_slot(area, version, slot)
    return table


@pytest.mark.parametrize("version", [4, 5])
def test_the_independent_reader_understands_our_domain(tmp_path: Path, disk: Path, version: int) -> None:
    async def main() -> None:
        async with block_host(tmp_path) as host, block_domain(host, [disk], version) as domain:
            store, image, volume, child = domain.store, new_image(), new_volume(), new_volume()
            base = metadata_of(domain.id, image, description="base & more")
            await store.begin(image, volume, base, size=GIB, allocate=True)
            await store.publish(image, volume)
            await store.begin(image, child, replace(base, parent=volume, generation=3), size=GIB, allocate=True)
            await store.publish(image, child)
            await store.mark_removed(image, [child], Removal.WIPE)
            place = await store.lease(image, child)
            group = await asyncio.to_thread(tags, "vgs", domain.id)
            marks = await asyncio.to_thread(tags, "lvs", f"{domain.id}/{child}")
            sizes = {row["lv_name"]: int(row["lv_size"]) >> 20 for row in await asyncio.to_thread(report, "lvs")}

            keys = plain_reader.domain_tags(group)
            assert (keys["SDUUID"], keys["VERSION"], keys["DESCRIPTION"]) == (domain.id, str(version), "third floor")
            assert keys["PV0"].startswith(f"pv:{disk.name},uuid:")
            assert {name: sizes[name] for name in LAYOUT} == {name: max(128, size) for name, size in LAYOUT.items()}
            known = plain_reader.volume_tags(marks)
            assert (known["image"], known["parent"], known["wipe"]) == (image, volume, True)
            table = await asyncio.to_thread(described, domain.id, version, int(known["slot"]))
            assert (table["IMAGE"], table["PUUID"], table["GEN"]) == (image, volume, "3")
            assert plain_reader.capacity(table) == GIB
            assert place.offset == plain_reader.volume_lease_place(int(known["slot"]), 1 << 20)

    asyncio.run(main())


def write_domain(disk: Path, domain: str, image: str, volume: str) -> dict[str, str]:
    """As an existing agent would: LVM's own commands and the independent writer."""
    run("pvcreate", "--metadatasize", "128m", "--metadatacopies", "2", disk)
    run("vgcreate", "--physicalextentsize", "128m", domain, disk)
    for name, size in LAYOUT.items():
        run("lvcreate", "-y", "--name", name, "--size", f"{size}m", domain)
    (row,) = report("vgs", "-o", "vg_uuid", domain)
    keys = {
        "VERSION": "5", "SDUUID": domain, "TYPE": "ISCSI", "ROLE": "Regular", "CLASS": "Data", "POOL_UUID": "",
        "DESCRIPTION": "von drüben, left & right", "BLOCK_SIZE": "512", "ALIGNMENT": "1048576",
        "VGUUID": row["vg_uuid"],
        "LOCKPOLICY": "", "LOCKRENEWALINTERVALSEC": "5", "LEASETIMESEC": "60", "IOOPTIMEOUTSEC": "10",
        "LEASERETRIES": "3", "MASTER_VERSION": "0",
    }  # fmt: skip
    run("vgchange", *(word for tag in plain_writer.domain_tags(keys) for word in ("--addtag", tag)), domain)
    slot = 9
    marks = plain_writer.volume_tags(image, NOTHING, slot)
    given = [word for tag in marks for word in ("--addtag", tag)]
    run("lvcreate", "-y", "--name", volume, "--size", "256m", *given, domain)
    table = {
        "CAP": str(GIB), "CTIME": "1700000000", "DESCRIPTION": "{}", "DISKTYPE": "DATA", "DOMAIN": domain,
        "FORMAT": "COW", "GEN": "12", "IMAGE": image, "LEGALITY": "LEGAL", "PUUID": NOTHING, "SEQ": "1",
        "TYPE": "SPARSE", "VOLTYPE": "LEAF",
    }  # fmt: skip
    with Path(f"/dev/{domain}/metadata").open("r+b") as area:
        plain_writer.volume_into_slot(area, 5, slot, table)
    run("vgchange", "--activate", "n", domain)
    return keys


def test_we_understand_the_independent_writers_domain(tmp_path: Path, disk: Path) -> None:
    domain, image, volume = DomainId(str(uuid4())), ImageId(str(uuid4())), VolumeId(str(uuid4()))
    keys = write_domain(disk, domain, image, volume)

    async def main() -> None:
        async with block_host(tmp_path) as host:
            opened = await open_block_domain(host, domain)
            record = await opened.read_record()
            assert record.domain.description == keys["DESCRIPTION"]
            stored = (await opened.store.volumes(image))[volume]
            assert (stored.size, stored.parent, stored.is_unfinished) == (256 << 20, None, False)
            told = await opened.store.read(image, volume)
            assert (told.capacity, told.generation, told.sequence) == (GIB, 12, 1)
            assert (await opened.store.lease(image, volume)).offset == 109 << 20
            await opened.write_record(record)
            assert await opened.read_record() == record
            await opened.close()

    try:
        asyncio.run(main())
    finally:
        subprocess.run(["vgremove", "-y", "-f", domain], capture_output=True, timeout=60, check=False)
