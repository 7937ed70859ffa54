"""A repository of images: one storage domain in a pool of its own, led by this host.

    create   connect the server ── domain ── pool ── join ── become its manager (SPM)
    open     connect the server ── find the domain ── join its pool ── become its manager
    close    give the role up ── leave the pool ── disconnect the server

What fails half-way is undone, newest first. An engine may take the pool over later: it is an ordinary one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ovis.client.node import Node
from ovis.client.types import (
    ConnectionRefParameters,
    SpmRole,
    StorageDomainClassId,
    StorageDomainInfo,
    StorageDomainStatus,
    StorageDomainTypeId,
)
from ovis.client.untyped import RpcError
from ovis.shell.failures import Exit, Failure
from ovis.shell.storage.node import SLOW_SECONDS, finish

KINDS = {
    "local": StorageDomainTypeId.LOCALFS,
    "nfs": StorageDomainTypeId.NFS,
    "posix": StorageDomainTypeId.POSIXFS,
    "gluster": StorageDomainTypeId.GLUSTERFS,
}
HOST_ID = 1
MASTER_VERSION = 1
NO_POOL = "00000000-0000-0000-0000-000000000000"
NAMESPACE = uuid.UUID("0d9ad54e-3c5f-4d8e-9a4b-6b8a7a4c1f10")


@dataclass(frozen=True)
class Server:
    """Where a repository lies. `target`: a folder, or server:/export; `vfs_type`: of posix."""

    kind: str
    target: str
    options: str = ""
    vfs_type: str = ""

    @property
    def type(self) -> StorageDomainTypeId:
        return KINDS[self.kind]

    @property
    def parameters(self) -> ConnectionRefParameters:
        """The same server always has the same id, so that it is disconnected by what it was connected by."""
        identity = str(uuid.uuid5(NAMESPACE, f"{self.kind} {self.target}"))
        return ConnectionRefParameters(
            id=identity,
            connection=self.target,
            vfs_type=self.vfs_type or None,
            mnt_options=self.options or None,
        )


@dataclass(frozen=True)
class Row:
    """One domain of the pool, for people. Bytes."""

    domain: str
    name: str
    pool: str
    status: str
    total: int | None
    free: int | None
    manager: bool


def create(node: Node, server: Server, name: str, *, version: int) -> str:
    """The id of the new domain. Raises Failure, RpcError; then nothing is left."""
    domain, pool = str(uuid.uuid4()), str(uuid.uuid4())
    with _undoing() as undo:
        _connect(node, server)
        undo.append(lambda: _disconnect(node, server))
        node.storage_domain.create(
            domain, server.type, server.target, name, StorageDomainClassId.DATA, version, deadline=SLOW_SECONDS
        )
        undo.append(lambda: node.storage_domain.format(domain, auto_detach=False, deadline=SLOW_SECONDS))
        node.storage_pool.create(pool, name, domain, MASTER_VERSION, [domain], deadline=SLOW_SECONDS)
        _join(node, pool, domain, MASTER_VERSION)
    return domain


def open_existing(node: Node, server: Server) -> list[str]:
    """The ids of the domains found there. Raises Failure, RpcError; then the server is disconnected again."""
    with _undoing() as undo:
        _connect(node, server)
        undo.append(lambda: _disconnect(node, server))
        found = [info for info in _domains(node) if info.remote_path in (None, server.target)]
        masters = [info for info in found if info.role.value == "Master" and _pools(info)]
        if not masters:
            raise Failure(Exit.ERROR, f"There is no repository at {server.target}", "See: ovis node storage create")
        for master in masters:
            _join(node, _pools(master)[0], master.uuid, master.master_ver)
    return [info.uuid for info in found]


def close(node: Node) -> list[str]:
    """Leave all pools of this host; their ids. Raises RpcError: while tasks run, images are in use."""
    left = node.host.get_connected_storage_pools()
    for pool in left:
        servers = [server for info in _domains(node) if pool in _pools(info) and (server := _server_of(info))]
        if node.storage_pool.get_spm_status(pool).spm_status is SpmRole.SPM:
            node.storage_pool.spm_stop(pool, deadline=SLOW_SECONDS)
        node.storage_pool.disconnect(pool, HOST_ID, deadline=SLOW_SECONDS)
        for server in servers:
            _disconnect(node, server)
    return left


def rows(node: Node) -> Iterator[Row]:
    for pool in node.host.get_connected_storage_pools():
        info = node.storage_pool.get_info(pool)
        is_manager = node.storage_pool.get_spm_status(pool).spm_status is SpmRole.SPM
        for domain, found in info.dominfo.items():
            name = node.storage_domain.get_info(domain).name if found.status is StorageDomainStatus.ACTIVE_ else ""
            yield Row(domain, name, pool, found.status.value, found.disktotal, found.diskfree, is_manager)


def only_domain(node: Node, wanted: str = "") -> Row:
    """The active domain that is named (by name or the start of its id), or the only one. Raises Failure."""
    active = [row for row in rows(node) if row.status == StorageDomainStatus.ACTIVE_.value]
    fitting = [row for row in active if not wanted or row.name == wanted or row.domain.startswith(wanted.lower())]
    if len(fitting) == 1:
        return fitting[0]
    if not active:
        raise Failure(Exit.ERROR, "No storage is open on this host", "See: ovis node storage open --help")
    known = ", ".join(f"{row.name} ({row.domain[:8]})" for row in active)
    problem = f"{len(fitting)} domains fit {wanted!r}" if wanted else "Several domains are open"
    raise Failure(Exit.USAGE, f"{problem}; there are {known}", "Name one with --domain")


def _connect(node: Node, server: Server) -> None:
    (status,) = node.storage_pool.connect_storage_server(
        server.type, [server.parameters], NO_POOL, deadline=SLOW_SECONDS
    )
    if status.status:
        raise _failure(server, status.status)


def _disconnect(node: Node, server: Server) -> None:
    node.storage_pool.disconnect_storage_server(server.type, [server.parameters], NO_POOL, deadline=SLOW_SECONDS)


def _failure(server: Server, code: int) -> Failure:
    from ovis.shell.api import node_schema

    known = node_schema().errors.get(code)
    return Failure(
        Exit.ERROR,
        f"{server.target} cannot be connected [{code}{f' {known.name}' if known else ''}]",
        known.doc if known else "",
    )


def _join(node: Node, pool: str, master: str, version: int) -> None:
    with _undoing() as undo:
        node.storage_pool.connect(pool, HOST_ID, master, version, deadline=SLOW_SECONDS)
        undo.append(lambda: node.storage_pool.disconnect(pool, HOST_ID, deadline=SLOW_SECONDS))
        if node.storage_pool.get_spm_status(pool).spm_status is not SpmRole.SPM:
            task = node.storage_pool.spm_start(pool, -1, -1, deadline=SLOW_SECONDS)
            finish(node, task, "Becoming the manager of the repository", seconds=SLOW_SECONDS)
        for domain, found in node.storage_pool.get_info(pool).dominfo.items():
            if found.status is not StorageDomainStatus.ACTIVE_:
                node.storage_domain.activate(domain, pool, deadline=SLOW_SECONDS)


def _domains(node: Node) -> list[StorageDomainInfo]:
    return [node.storage_domain.get_info(domain) for domain in node.host.get_storage_domains(deadline=SLOW_SECONDS)]


def _pools(info: StorageDomainInfo) -> list[str]:
    return [pool for pool in info.pool if pool != NO_POOL]


def _server_of(info: StorageDomainInfo) -> Server | None:
    kind = next((kind for kind, number in KINDS.items() if number.name == info.type.value), None)
    return Server(kind, info.remote_path) if kind and info.remote_path else None


@contextmanager
def _undoing() -> Iterator[list[Callable[[], object]]]:
    steps: list[Callable[[], object]] = []
    try:
        yield steps
    except BaseException as error:
        for step in reversed(steps):
            try:
                step()
            except RpcError as further:
                error.add_note(f"and could not be undone: {further}")
        raise
