"""What can go wrong with storage, and its name in the error table.

    StorageError
    ├── NoSuchDomain, DomainExists, DomainNotActive
    ├── NoSuchVolume, VolumeExists, NoSuchImage
    ├── NoSpace
    └── ... each part of storage adds its own beside what raises it

The layouts' errors (formats/errors.py), IoTimeout and the leases' errors stand beside their code.
"""

from __future__ import annotations

from ovis.node.errors import NodeError


class StorageError(NodeError):
    wire_name = "StorageException"


class NoSuchDomain(StorageError):
    wire_name = "StorageDomainDoesNotExist"

    def __init__(self, domain: str, why: str = "") -> None:
        super().__init__(f"no storage domain {domain} can be found from this host{f': {why}' if why else ''}")
        self.domain = domain


class DomainExists(StorageError):
    wire_name = "StorageDomainAlreadyExists"

    def __init__(self, domain: str, where: str) -> None:
        super().__init__(f"a storage domain {domain} exists already: {where}")
        self.domain = domain


class DomainNotActive(StorageError):
    wire_name = "StorageDomainNotActive"

    def __init__(self, domain: str) -> None:
        super().__init__(f"storage domain {domain} is not active in its pool")
        self.domain = domain


class NoSuchImage(StorageError):
    wire_name = "ImageDoesNotExistInSD"

    def __init__(self, domain: str, image: str) -> None:
        super().__init__(f"storage domain {domain} has no image {image}")
        self.domain, self.image = domain, image


class NoSuchVolume(StorageError):
    wire_name = "VolumeDoesNotExist"

    def __init__(self, domain: str, image: str, volume: str) -> None:
        super().__init__(f"storage domain {domain}, image {image}: there is no volume {volume}")
        self.domain, self.image, self.volume = domain, image, volume


class VolumeExists(StorageError):
    wire_name = "VolumeAlreadyExists"

    def __init__(self, domain: str, image: str, volume: str) -> None:
        super().__init__(f"storage domain {domain}, image {image}: there is a volume {volume} already")
        self.domain, self.image, self.volume = domain, image, volume


class NoSpace(StorageError):
    wire_name = "NoSpaceLeftOnDomain"

    def __init__(self, domain: str, wanted: int) -> None:
        room = f"no room for {wanted} bytes more" if wanted else "no room left"
        super().__init__(f"storage domain {domain} has {room}")
        self.domain, self.wanted = domain, wanted
