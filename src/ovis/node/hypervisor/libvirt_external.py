"""Other libvirts, through this one's library.

Source: libvirt virConnectOpenAuth, virStorageVolDownload with VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

import libvirt

from ovis.node.hypervisor import event_loop
from ovis.node.hypervisor.errors import HypervisorError, HypervisorLost, OperationFailed, OperationRefused
from ovis.node.hypervisor.external import ForeignDisk, ForeignDomain, Login
from ovis.node.hypervisor.libvirt_errors import translate
from ovis.node.hypervisor.libvirt_names import state
from ovis.node.hypervisor.pools import Pool

T = TypeVar("T")

LIST_SECONDS = 55.0
DESCRIBE_SECONDS = 170.0
DOWNLOAD_SECONDS = 7 * 24 * 3600.0  # ended by whoever began it, long before
KEEP_ALIVE = (5, 4)  # a side that is gone is noticed after 25 s, and its thread comes back
TELL_EVERY = 16 << 20
PIECE = 256 << 10
XML_LIMIT = 2 << 20
USERS = {libvirt.VIR_CRED_USERNAME, libvirt.VIR_CRED_AUTHNAME}
PASSWORDS = {libvirt.VIR_CRED_PASSPHRASE, libvirt.VIR_CRED_NOECHOPROMPT}


class LibvirtExternal:
    """Threads of its own: another side that hangs takes none from the VMs of this host."""

    def __init__(self) -> None:
        self._pool = Pool("foreign hypervisors", threads=4, waiting=32)
        self._transfers = Pool("foreign disks", threads=4, waiting=32)

    async def names(self, login: Login, *, deadline: float | None = None) -> list[str]:
        def work(connection: libvirt.virConnect) -> list[str]:
            return sorted(domain.name() for domain in connection.listAllDomains(0))

        return await self._with(self._pool, "list VMs", login, work, deadline or LIST_SECONDS)

    async def domains(
        self, login: Login, names: Collection[str] = (), *, deadline: float | None = None
    ) -> list[ForeignDomain]:
        def work(connection: libvirt.virConnect) -> list[ForeignDomain]:
            found = connection.listAllDomains(0)
            return [_describe(connection, domain) for domain in found if not names or domain.name() in names]

        return await self._with(self._pool, "describe VMs", login, work, deadline or DESCRIBE_SECONDS)

    async def download(
        self,
        login: Login,
        path: str,
        descriptor: int,
        *,
        limit: int,
        on_bytes: Callable[[int], None],
        deadline: float | None = None,
    ) -> int:
        loop = asyncio.get_running_loop()
        stop = threading.Event()
        own = os.dup(descriptor)  # the thread may outlive its caller

        def tell(done: int) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(on_bytes, done)

        def work(connection: libvirt.virConnect) -> int:
            try:
                return _Download(own, limit, stop, tell).run(connection, path)
            finally:
                os.close(own)

        try:
            return await self._with(
                self._transfers, "download a disk", login, work, deadline or DOWNLOAD_SECONDS, readonly=False
            )
        except BaseException:
            stop.set()
            raise

    def close(self) -> None:
        self._pool.close()
        self._transfers.close()

    async def _with(
        self,
        pool: Pool,
        name: str,
        login: Login,
        work: Callable[[libvirt.virConnect], T],
        deadline: float,
        *,
        readonly: bool = True,
    ) -> T:
        def connected() -> T:
            with _open(login, readonly=readonly) as connection:
                try:
                    return work(connection)
                except libvirt.libvirtError as error:
                    raise translate(error, None) from error

        event_loop.start()  # keep-alive messages are its work
        return await pool.run(name, connected, deadline=deadline)


@contextlib.contextmanager
def _open(login: Login, *, readonly: bool) -> Iterator[libvirt.virConnect]:
    def answer(credentials: list[list[object]], _: object) -> int:
        for credential in credentials:
            credential[4] = login.user if credential[0] in USERS else login.password
        return 0

    kinds = sorted(USERS | PASSWORDS)
    flags = libvirt.VIR_CONNECT_RO if readonly else 0
    try:
        connection = libvirt.openAuth(login.uri, [kinds, answer, None], flags)
    except libvirt.libvirtError as error:
        raise HypervisorLost(_without(login.password, error.get_error_message() or str(error))) from error
    try:
        with contextlib.suppress(libvirt.libvirtError):  # not every driver can
            connection.setKeepAlive(*KEEP_ALIVE)
        yield connection
    finally:
        with contextlib.suppress(libvirt.libvirtError):
            connection.close()


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "…") if secret else text


def _describe(connection: libvirt.virConnect, domain: libvirt.virDomain) -> ForeignDomain:
    xml = domain.XMLDesc(0)
    if len(xml) > XML_LIMIT:
        raise OperationRefused(f"the description of {domain.name()!r} has {len(xml)} characters")
    number, _ = domain.state(0)
    disks = tuple(_measure(connection, domain, path) for path in _disk_paths(xml))
    return ForeignDomain(domain.UUIDString(), domain.name(), state(number), _has_snapshots(domain), xml, disks)


def _has_snapshots(domain: libvirt.virDomain) -> bool:
    try:
        return domain.snapshotNum(0) > 0
    except libvirt.libvirtError:  # not every driver knows snapshots
        return False


def _measure(connection: libvirt.virConnect, domain: libvirt.virDomain, path: str) -> ForeignDisk:
    """By the domain where its driver can, else by the volume; a disk that nobody can measure is still a disk."""
    with contextlib.suppress(libvirt.libvirtError):
        capacity, allocation, _ = domain.blockInfo(path, 0)
        return ForeignDisk(path, capacity, allocation)
    with contextlib.suppress(libvirt.libvirtError):
        _, capacity, allocation = connection.storageVolLookupByPath(path).info()
        return ForeignDisk(path, capacity, allocation)
    return ForeignDisk(path, None, None)


def _disk_paths(xml: str) -> list[str]:
    """A description that cannot be read is refused later, by the one who reads all of it."""
    from xml.etree import ElementTree  # 0.5 MB, needed by imports only

    if "<!" in xml:  # document types, entities: none is in what libvirt writes
        return []
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - without document types it cannot grow
    except ElementTree.ParseError:
        return []
    sources = root.iterfind("devices/disk/source")
    return [path for source in sources if (path := source.get("file") or source.get("dev"))]


class _Download:
    """One disk, in a thread. `tell` gets the bytes that have come so far."""

    def __init__(self, descriptor: int, limit: int, stop: threading.Event, tell: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._stop = stop
        self._tell = tell
        self._at = 0
        self._told = 0

    def run(self, connection: libvirt.virConnect, path: str) -> int:
        try:
            volume = connection.storageVolLookupByPath(path)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
                problem = f"{path} is in no storage pool of the other host, so it cannot be read"
                raise OperationRefused(problem) from error
            raise
        stream = connection.newStream(0)
        try:
            volume.download(stream, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
            while self._take(stream):
                pass
            stream.finish()
        except (libvirt.libvirtError, HypervisorError, OSError) as error:
            with contextlib.suppress(libvirt.libvirtError):
                stream.abort()
            if isinstance(error, OSError):
                raise OperationFailed(f"{path}: {error}") from error
            raise
        os.ftruncate(self._descriptor, self._at)
        self._tell(self._at)
        return self._at

    def _take(self, stream: libvirt.virStream) -> bool:
        """The next piece; False at the end."""
        got = stream.recvFlags(PIECE, libvirt.VIR_STREAM_RECV_STOP_AT_HOLE)
        if isinstance(got, int):  # -3, a hole; -2 comes from streams that do not block only
            self._go_on(hole := stream.recvHole())
            self._at += hole
            return True
        self._go_on(len(got))
        view = memoryview(got)
        while view:
            written = os.pwrite(self._descriptor, view, self._at)
            self._at += written
            view = view[written:]
        return bool(got)

    def _go_on(self, count: int) -> None:
        if self._stop.is_set():
            raise OperationRefused("it was cancelled")
        if self._at + count > self._limit:
            raise OperationRefused(f"the disk has more than the {self._limit} bytes that are expected")
        if self._at - self._told >= TELL_EVERY:
            self._told = self._at
            self._tell(self._at)
