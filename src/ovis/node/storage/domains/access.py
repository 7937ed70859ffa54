"""What the kernel refuses on a domain's file system, in the words of the API.

ENOENT                    the caller's error: a volume, an image, a domain that is not there
ENOSPC, EDQUOT            NoSpace
ELOOP, EPERM, EXDEV,      HostilePath: a link, a pipe or a device where a plain file belongs. Only a hostile or broken
EISDIR, ENOTDIR           server makes such things; they are not followed, opened or removed
anything else             AccessFailed
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ovis.node.storage.errors import NoSpace, StorageError
from ovis.node.storage.formats.identifiers import DomainId

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ODD = frozenset({errno.ELOOP, errno.ENXIO, errno.EXDEV, errno.EISDIR, errno.ENOTDIR})


class AccessFailed(StorageError):
    wire_name = "StorageDomainAccessError"

    def __init__(self, domain: DomainId, error: OSError) -> None:
        super().__init__(f"storage domain {domain}: {error.filename}: {error.strerror or error}")
        self.domain, self.code = domain, error.errno


class HostilePath(StorageError):
    wire_name = "StorageDomainLayoutError"

    def __init__(self, domain: DomainId, error: OSError) -> None:
        super().__init__(
            f"storage domain {domain}: {error.filename} is no plain file or folder as belongs there and was left "
            f"alone: {error.strerror}"
        )
        self.domain, self.path = domain, error.filename


@contextmanager
def access(domain: DomainId, *, missing: StorageError | None = None, wanted: int = 0) -> Iterator[None]:
    """Turn OSErrors inside into errors of storage. `missing`: what it means that something is not there; `wanted`:
    bytes that were to be taken."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and missing is not None:
            raise missing from error
        if error.errno in FULL:
            raise NoSpace(domain, wanted) from error
        if error.errno in ODD:
            raise HostilePath(domain, error) from error
        raise AccessFailed(domain, error) from error
