"""The demo's storage: a repository of images in its folder, and a disk in it that the VM gets by its ids."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from ovis.client.node import Node
from ovis.shell.storage import images, repository
from ovis.shell.storage.images import Volume
from ovis.shell.storage.repository import Server
from ovis.wire.target import UnixTarget

DISK_BYTES = 256 << 20
CONFIGURATION = """\
[storage]
root = "{folder}/data-center"
run_folder = "{folder}/run/volumes"
user = {user}
group = {group}
"""


@dataclass(frozen=True)
class Disk:
    volume: Volume
    domain: str

    @property
    def metadata(self) -> str:
        """What an engine writes beside the XML: which volume the disk is. The agent finds its path."""
        ids = {"poolID": self.volume.pool, "domainID": self.volume.domain}
        ids |= {"imageID": self.volume.image, "volumeID": self.volume.volume}
        members = "".join(f"<ovirt-vm:{name}>{value}</ovirt-vm:{name}>" for name, value in ids.items())
        return f"<ovirt-vm:device devtype='disk' name='vda'>{members}</ovirt-vm:device>"


async def make_disk(socket: Path, folder: Path) -> Disk:
    """Through the local socket, with the functions behind `ovis node storage` and `ovis node image`."""
    return await asyncio.to_thread(_make_disk, socket, folder)


async def close(socket: Path) -> None:
    await asyncio.to_thread(_close, socket)


def _make_disk(socket: Path, folder: Path) -> Disk:
    folder.mkdir()
    with Node.open(UnixTarget(str(socket)), flow="demo") as node:
        repository.create(node, Server("local", str(folder)), "demo", version=5)
        row = repository.only_domain(node)
        volume = images.new_volume(
            node, row, DISK_BYTES, is_qcow2=True, is_preallocated=False, description="a disk of the demo"
        )
    return Disk(volume, row.name)


def _close(socket: Path) -> None:
    with Node.open(UnixTarget(str(socket)), flow="demo") as node:
        repository.close(node)
