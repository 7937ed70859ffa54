"""The operations of an ovis-io process: each takes a request, does it durably and returns the body of the answer.

All of them block, as long as the storage likes. They raise OSError.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import time

from ovis.node.storage.io import messages
from ovis.node.storage.io.messages import Request
from ovis.node.storage.io.paths import Place, Roots, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_BLOCK = 4096  # one sector of every disk there is
NEW = b".new"
"""Ending of a file that is written to replace another; agents of the old system pass it over, and use it themselves."""


class Operations:
    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._table: dict[int, Callable[[Request], bytes]] = {
            messages.READ: self._read,
            messages.WRITE: self._write,
            messages.REPLACE: self._replace,
            messages.CREATE: self._create,
            messages.RESIZE: self._resize,
            messages.ALLOCATE: self._allocate,
            messages.MAKE_FOLDER: self._make_folder,
            messages.RENAME: self._rename,
            messages.LINK: self._link,
            messages.REMOVE: self._remove,
            messages.REMOVE_TREE: self._remove_tree,
            messages.FACTS: self._facts,
            messages.NAMES: self._names,
            messages.TREE: self._tree,
            messages.SPACE: self._space,
            messages.READ_DELAY: self._read_delay,
        }

    def do(self, request: Request) -> bytes:
        operation = self._table[request.operation]
        try:
            return operation(request)
        except OSError as error:
            # NFS: what was open or cached is gone from the server; a second look finds what is there now
            if error.errno == errno.ESTALE and request.operation in _AGAIN_WHEN_STALE:
                return operation(request)
            raise

    def _read(self, request: Request) -> bytes:
        return self._read_at(request.path, request.offset, request.size, direct=bool(request.flags & messages.DIRECT))

    def _read_at(self, path: bytes, offset: int, size: int, *, direct: bool) -> bytes:
        descriptor = self._roots.open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))
        try:
            if not direct:
                return _read_all(descriptor, offset, size)
            with mmap.mmap(-1, size) as buffer:  # memory as aligned as direct I/O wants it
                got = os.preadv(descriptor, [buffer], offset)
                return buffer[:got]
        finally:
            os.close(descriptor)

    def _write(self, request: Request) -> bytes:
        direct = bool(request.flags & messages.DIRECT)
        descriptor = self._roots.open(request.path, os.O_WRONLY | (os.O_DIRECT if direct else 0))
        try:
            if direct:
                with mmap.mmap(-1, max(1, len(request.data))) as buffer:
                    buffer[: len(request.data)] = request.data
                    _write_all(descriptor, buffer, len(request.data), request.offset)
            else:
                _write_all(descriptor, request.data, len(request.data), request.offset)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        return b""

    def _replace(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            _refuse_folder(place)
            with place.beside(place.name + NEW) as fresh:
                _unlink(fresh, missing_ok=True)
                try:
                    _write_new(fresh, request.data, request.mode)
                    os.rename(fresh.name, place.name, src_dir_fd=fresh.folder, dst_dir_fd=place.folder)
                except OSError:
                    _unlink(fresh, missing_ok=True)
                    raise
            place.flush_folder()
        return b""

    def _create(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            descriptor = place.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, request.mode)
            try:
                if request.size:
                    os.ftruncate(descriptor, request.size)
                os.fsync(descriptor)
            except OSError:
                _unlink(place, missing_ok=True)
                raise
            finally:
                os.close(descriptor)
            place.flush_folder()
        return b""

    def _resize(self, request: Request) -> bytes:
        descriptor = self._roots.open(request.path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, request.size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return b""

    def _allocate(self, request: Request) -> bytes:
        descriptor = self._roots.open(request.path, os.O_RDWR)  # the C library's emulation reads
        try:
            os.posix_fallocate(descriptor, request.offset, request.size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return b""

    def _make_folder(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            os.mkdir(place.name, request.mode, dir_fd=place.folder)
            place.flush_folder()
        return b""

    def _rename(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place, self._roots.place(request.to) as to:
            os.rename(place.name, to.name, src_dir_fd=place.folder, dst_dir_fd=to.folder)
            to.flush_folder()
            if os.path.dirname(request.path) != os.path.dirname(request.to):
                place.flush_folder()
        return b""

    def _link(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place, self._roots.place(request.to) as to:
            if not stat.S_ISREG(place.look().st_mode):
                raise failure(errno.ENXIO, request.path)
            os.link(place.name, to.name, src_dir_fd=place.folder, dst_dir_fd=to.folder, follow_symlinks=False)
            to.flush_folder()
        return b""

    def _remove(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            try:
                is_folder = stat.S_ISDIR(place.look().st_mode)
            except FileNotFoundError:
                if not request.flags & messages.MISSING_OK:
                    raise
            else:
                if is_folder:
                    os.rmdir(place.name, dir_fd=place.folder)
                else:
                    _unlink(place, missing_ok=bool(request.flags & messages.MISSING_OK))
            # also when nothing was there: who removed it may have been killed before this
            place.flush_folder()
        return b""

    def _remove_tree(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            if place.name == b".":
                raise failure(errno.EBUSY, request.path)
            _remove_all(place)
            place.flush_folder()
        return b""

    def _facts(self, request: Request) -> bytes:
        if self._roots.is_device(request.path):
            return self._device_facts(request.path)
        with self._roots.place(request.path) as place:
            return _row(place.look(), b"")

    def _device_facts(self, path: bytes) -> bytes:
        descriptor = self._roots.open(path, os.O_RDONLY)
        try:
            found = os.fstat(descriptor)
            size = os.lseek(descriptor, 0, os.SEEK_END)
        finally:
            os.close(descriptor)
        return messages.ROW.pack(messages.OTHER, stat.S_IMODE(found.st_mode), 1, size, size, found.st_mtime, 0)

    def _names(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            descriptor = place.open_folder()
            found = _Listing(request.path)
            try:
                with os.scandir(descriptor) as entries:
                    for entry in entries:
                        found.add(os.fsencode(entry.name) + b"\0")
            finally:
                os.close(descriptor)
        return found.body()

    def _tree(self, request: Request) -> bytes:
        found = _Listing(request.path)
        with self._roots.place(request.path) as place:
            descriptor = place.open_folder()
            try:
                _list(descriptor, b"", request.offset, found)
            finally:
                os.close(descriptor)
        return found.body()

    def _space(self, request: Request) -> bytes:
        with self._roots.place(request.path) as place:
            descriptor = place.open_folder()
            try:
                found = os.fstatvfs(descriptor)
            finally:
                os.close(descriptor)
        return messages.SPACE_BODY.pack(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)

    def _read_delay(self, request: Request) -> bytes:
        begun = time.monotonic()
        self._read_at(request.path, 0, FIRST_BLOCK, direct=True)
        return messages.DELAY_BODY.pack(time.monotonic() - begun)


class _Listing:
    """What an answer has room for: a folder with more names than any domain has is not read to its end."""

    def __init__(self, path: bytes) -> None:
        self._path = path
        self._parts: list[bytes] = []
        self._room = messages.LIMIT - messages.ANSWER.size

    def add(self, part: bytes) -> None:
        self._room -= len(part)
        if self._room < 0:
            raise failure(errno.EOVERFLOW, self._path)
        self._parts.append(part)

    def body(self) -> bytes:
        return b"".join(self._parts)


_AGAIN_WHEN_STALE = messages.LOOKS | {messages.WRITE, messages.REPLACE, messages.RESIZE}


def _read_all(descriptor: int, offset: int, size: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def _write_all(descriptor: int, data: bytes | mmap.mmap, size: int, offset: int) -> None:
    with memoryview(data) as view:
        done = 0
        while done < size:
            done += os.pwrite(descriptor, view[done:size], offset + done)


def _write_new(place: Place, data: bytes, mode: int) -> None:
    descriptor = place.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        _write_all(descriptor, data, len(data), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_folder(place: Place) -> None:
    try:
        if stat.S_ISDIR(place.look().st_mode):
            raise failure(errno.EISDIR, place.path)
    except FileNotFoundError:
        pass


def _unlink(place: Place, *, missing_ok: bool) -> None:
    try:
        os.unlink(place.name, dir_fd=place.folder)
    except FileNotFoundError:
        if not missing_ok:
            raise


def _remove_all(place: Place) -> None:
    try:
        if not stat.S_ISDIR(place.look().st_mode):
            return _unlink(place, missing_ok=True)
        folder = place.open_folder()
    except FileNotFoundError:
        return None
    try:
        for name in os.listdir(folder):
            inner = os.fsencode(name)
            with Place(os.dup(folder), inner, place.path + b"/" + inner) as thing:
                _remove_all(thing)
    finally:
        os.close(folder)
    try:
        os.rmdir(place.name, dir_fd=place.folder)
    except FileNotFoundError:
        return None


def _list(folder: int, above: bytes, levels: int, found: _Listing) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = above + os.fsencode(entry.name)
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ESTALE):  # gone since the folder was read
                    continue
                raise
            found.add(_row(facts, name))
            if levels > 1 and stat.S_ISDIR(facts.st_mode):
                _list_inner(folder, entry.name, name + b"/", levels - 1, found)


def _list_inner(folder: int, name: str, above: bytes, levels: int, found: _Listing) -> None:
    try:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE, errno.ENOTDIR):  # gone, or another thing by now
            return
        raise
    try:
        _list(inner, above, levels, found)
    finally:
        os.close(inner)


def _row(facts: os.stat_result, name: bytes) -> bytes:
    mode = facts.st_mode
    kind = (
        messages.FILE if stat.S_ISREG(mode)
        else messages.FOLDER if stat.S_ISDIR(mode)
        else messages.SYMLINK if stat.S_ISLNK(mode)
        else messages.OTHER
    )  # fmt: skip
    return (
        messages.ROW.pack(
            kind, stat.S_IMODE(mode), facts.st_nlink, facts.st_size, facts.st_blocks * 512, facts.st_mtime, len(name)
        )
        + name
    )
