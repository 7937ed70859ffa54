"""Names and paths of domains, images and volumes. Pure: nothing is looked up.

    /rhev/data-center/
    ├── mnt/
    │   ├── <server:_path>/<domain>/         NFS, local, POSIX
    │   ├── glusterSD/<server:_path>/<domain>/
    │   └── blockSD/<domain>/{dom_md,images,master}
    └── <pool>/
        ├── <domain> -> ../mnt/.../<domain>
        └── mastersd -> the master's folder

    <domain>/
    ├── dom_md/{metadata, ids, leases, inbox, outbox, xleases}
    ├── images/<image>/<volume>, <volume>.meta, <volume>.lease
    ├── images/_remove_me_<image>            deleted, to be purged
    └── master/{vms, tasks}                  of the master domain

    /run/vdsm/storage/<domain>/<image>/<volume>      links of images in use

The remote path as one name: each "_" doubled, then each "/" a "_":

    nas:/exports/vm_disks    nas:_exports_vm__disks

The rule has no reverse: "a_/b" and "a/_b" both become "a___b". Two servers' paths that collide must not be mounted
together; who mounts compares the mounted source, never the name.

Assumptions: the remote path is taken as it comes, normalised by the caller; a name of "." or ".." or longer than 255
bytes, which file systems refuse, is refused. Image folders to be wiped have the prefix of the tag (volume_tags).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from ovis.node.storage.formats.errors import Broken, TooLong, shown
from ovis.node.storage.formats.identifiers import DomainId, ImageId, PoolId, VolumeId, is_identifier
from ovis.node.storage.formats.volume_tags import Removal, split_removal

WHAT = "repository"
MASTER_LINK = "mastersd"
METADATA_FILES = ("metadata", "ids", "leases", "inbox", "outbox", "xleases")
METADATA_MODE = 0o660
MAILBOX_BYTES = 16 << 20
META_SUFFIX = ".meta"
LEASE_SUFFIX = ".lease"
ISO_IMAGE = ImageId("11111111-1111-1111-1111-111111111111")  # the image folder of an Iso domain
NAME_LIMIT = 255
ROOT = PurePosixPath("/rhev/data-center")
RUN = PurePosixPath("/run/vdsm/storage")


def mount_name(remote_path: str) -> str:
    """The folder under mnt/ where `remote_path` is mounted. Raises Broken, TooLong."""
    name = remote_path.replace("_", "__").replace("/", "_")
    if name in ("", ".", "..") or "\0" in name:
        raise Broken(WHAT, "remote path", f"cannot be a name: {shown(remote_path)}")
    if len(name.encode(errors="surrogateescape")) > NAME_LIMIT:
        raise TooLong(WHAT, "remote path", f"its name is longer than {NAME_LIMIT} bytes: {shown(remote_path)}")
    return name


@dataclass(frozen=True)
class DomainPaths:
    """Within the folder of one domain, wherever that is."""

    folder: PurePosixPath

    @property
    def metadata(self) -> PurePosixPath:
        return self.special("metadata")

    def special(self, name: str) -> PurePosixPath:
        if name not in METADATA_FILES:
            raise Broken(WHAT, "dom_md", f"has no {shown(name)}")
        return self.folder / "dom_md" / name

    @property
    def images(self) -> PurePosixPath:
        return self.folder / "images"

    def image(self, image: ImageId, removal: Removal = Removal.NONE) -> PurePosixPath:
        return self.images / f"{removal.value}{_id('image', image)}"

    def volume(self, image: ImageId, volume: VolumeId) -> PurePosixPath:
        return self.image(image) / _id("volume", volume)

    def volume_metadata(self, image: ImageId, volume: VolumeId) -> PurePosixPath:
        return self.image(image) / f"{_id('volume', volume)}{META_SUFFIX}"

    def volume_lease(self, image: ImageId, volume: VolumeId) -> PurePosixPath:
        return self.image(image) / f"{_id('volume', volume)}{LEASE_SUFFIX}"

    @property
    def master(self) -> PurePosixPath:
        return self.folder / "master"

    @property
    def tasks(self) -> PurePosixPath:
        return self.master / "tasks"

    @property
    def vms(self) -> PurePosixPath:
        return self.master / "vms"


@dataclass(frozen=True)
class Repository:
    root: PurePosixPath = ROOT
    run: PurePosixPath = RUN

    @property
    def mounts(self) -> PurePosixPath:
        return self.root / "mnt"

    def mount(self, remote_path: str) -> PurePosixPath:
        return self.mounts / mount_name(remote_path)

    def gluster_mount(self, remote_path: str) -> PurePosixPath:
        return self.mounts / "glusterSD" / mount_name(remote_path)

    def block_domain(self, domain: DomainId) -> DomainPaths:
        return DomainPaths(self.mounts / "blockSD" / _id("domain", domain))

    def pool(self, pool: PoolId) -> PurePosixPath:
        return self.root / _id("pool", pool)

    def domain_link(self, pool: PoolId, domain: DomainId) -> PurePosixPath:
        return self.pool(pool) / _id("domain", domain)

    def master_link(self, pool: PoolId) -> PurePosixPath:
        return self.pool(pool) / MASTER_LINK

    def image_in_use(self, domain: DomainId, image: ImageId) -> PurePosixPath:
        return self.run / _id("domain", domain) / _id("image", image)

    def volume_in_use(self, domain: DomainId, image: ImageId, volume: VolumeId) -> PurePosixPath:
        return self.image_in_use(domain, image) / _id("volume", volume)


def domain_on(mount: PurePosixPath, domain: DomainId) -> DomainPaths:
    return DomainPaths(mount / _id("domain", domain))


def image_of(folder_name: str) -> tuple[ImageId, Removal] | None:
    """What a name under images/ stands for; None: not an image of ours."""
    removal, name = split_removal(folder_name)
    return (ImageId(name), removal) if is_identifier(name) else None


def volume_of(file_name: str) -> tuple[VolumeId, str] | None:
    """The volume and "", ".meta" or ".lease" for a name in an image's folder; None: not a volume's."""
    for suffix in (META_SUFFIX, LEASE_SUFFIX, ""):
        name = file_name.removesuffix(suffix)
        if file_name.endswith(suffix) and is_identifier(name):
            return VolumeId(name), suffix
    return None


def _id(kind: str, text: str) -> str:
    # a name out of metadata must never lead out of its folder
    if not is_identifier(text):
        raise Broken(WHAT, kind, f"not a UUID: {shown(text)}")
    return text
