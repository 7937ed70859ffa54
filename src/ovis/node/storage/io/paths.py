"""Reaching a path below a root without following a link: folder by folder, each opened in the one before it.

    /rhev/data-center/mnt/nas:_vms | /<domain>/images/<image> | /<volume>
    root, trusted                  | walked, no links         | the last name, never followed

What another host or a hostile server changes while we walk is seen or not seen, but never leads outside: names are only
looked up in folders that are already open. The root is opened anew each time, so nothing of it is held between calls
and the file system can be unmounted. A path outside every root is refused with EXDEV, a link with ELOOP, what is
neither file nor folder with ENXIO (a pipe would hang us, a device of a hostile export is somebody else's disk).

Device roots (/dev/<volume group>) have another rule: udev's links lead to the node, so they are followed, and what is
opened must be a block device below /dev.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def failure(code: int, path: bytes) -> OSError:
    return OSError(code, os.strerror(code), path)


class Place:
    """A name in an open folder; `name` is b"." for a root itself. Closes the folder at the end of `with`."""

    __slots__ = ("folder", "name", "path")

    def __init__(self, folder: int, name: bytes, path: bytes) -> None:
        self.folder, self.name, self.path = folder, name, path

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.folder)

    def look(self) -> os.stat_result:
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)

    def open(self, flags: int, mode: int = 0) -> int:
        """A regular file. Raises OSError: ELOOP for a link, ENXIO for what is no file."""
        if not flags & os.O_CREAT:
            self._refuse_odd(self.look())
        descriptor = self._open(flags | os.O_NONBLOCK, mode)
        try:
            self._refuse_odd(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def open_folder(self) -> int:
        """To be read or flushed."""
        return self._open(os.O_RDONLY | os.O_DIRECTORY)

    def flush_folder(self) -> None:
        """Make names that came, went or changed in the folder durable."""
        descriptor = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # file systems that cannot flush folders have nothing to be flushed
                raise
        finally:
            os.close(descriptor)

    def beside(self, name: bytes) -> Place:
        return Place(os.dup(self.folder), name, os.path.join(os.path.dirname(self.path), name))

    def _open(self, flags: int, mode: int = 0) -> int:
        return os.open(self.name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=self.folder)

    def _refuse_odd(self, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise failure(errno.ELOOP, self.path)
        if stat.S_ISDIR(found.st_mode):
            raise failure(errno.EISDIR, self.path)
        if not stat.S_ISREG(found.st_mode):
            raise failure(errno.ENXIO, self.path)


class Roots:
    def __init__(self, folders: list[bytes], devices: list[bytes]) -> None:
        self._folders = [folder.rstrip(b"/") for folder in folders]
        self._devices = [folder.rstrip(b"/") for folder in devices]

    def is_device(self, path: bytes) -> bool:
        return any(_below(folder, path) for folder in self._devices)

    def place(self, path: bytes) -> Place:
        """Raises OSError; nothing stays open then."""
        root = self._root_of(path)
        names = path[len(root) :].strip(b"/").split(b"/") if path != root else [b"."]
        if b".." in names or (b"." in names and path != root) or b"" in names:
            raise failure(errno.EXDEV, path)
        folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names[:-1]:
                inner = _enter(folder, name, path)
                os.close(folder)
                folder = inner
        except BaseException:
            os.close(folder)
            raise
        return Place(folder, names[-1], path)

    def open(self, path: bytes, flags: int) -> int:
        """A file that exists, or a device."""
        if self.is_device(path):
            return _open_device(path, flags)
        with self.place(path) as place:
            return place.open(flags)

    def _root_of(self, path: bytes) -> bytes:
        fitting = [root for root in self._folders if path == root or _below(root, path)]
        if not fitting:
            raise failure(errno.EXDEV, path)
        return max(fitting, key=len)


def _below(root: bytes, path: bytes) -> bool:
    return path.startswith(root + b"/") and b"/../" not in path + b"/"


def _enter(folder: int, name: bytes, path: bytes) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except NotADirectoryError:
        # the kernel says this of a link, too
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        raise failure(errno.ELOOP if stat.S_ISLNK(found.st_mode) else errno.ENOTDIR, path) from None


def _open_device(path: bytes, flags: int) -> int:
    target = os.path.realpath(path)
    if not target.startswith(b"/dev/"):
        raise failure(errno.EXDEV, path)
    if not stat.S_ISBLK(os.stat(target).st_mode):
        raise failure(errno.ENOTBLK, path)
    descriptor = os.open(target, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISBLK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise failure(errno.ENOTBLK, path)
    return descriptor
