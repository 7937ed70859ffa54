"""The pool's folder in the repository, in which older tools and the domain XML of VMs find domains:

    <root>/<pool>/<domain> -> ../mnt/.../<domain>      every domain that is in use here
    <root>/<pool>/mastersd -> the master's folder

A link is made beside its place and renamed. All of this is on the host's own disk; where a link leads is not looked at.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from ovis.node.storage.formats.identifiers import DomainId, PoolId, is_identifier
from ovis.node.storage.formats.repository import Repository

FRESH = ".new"


def add(repository: Repository, pool: PoolId, domain: DomainId, folder: PurePosixPath) -> None:
    _link(Path(repository.domain_link(pool, domain)), folder)


def add_master(repository: Repository, pool: PoolId, folder: PurePosixPath) -> None:
    _link(Path(repository.master_link(pool)), folder)


def drop(repository: Repository, pool: PoolId, domain: DomainId) -> None:
    Path(repository.domain_link(pool, domain)).unlink(missing_ok=True)


def keep_only(repository: Repository, pool: PoolId, domains: Collection[DomainId]) -> None:
    """Remove the links of other domains, and what a crash left."""
    folder = Path(repository.pool(pool))
    if not folder.is_dir():
        return
    for name in os.listdir(folder):
        is_left_over = name.endswith(FRESH) or (is_identifier(name) and name not in domains)
        if is_left_over and (folder / name).is_symlink():
            (folder / name).unlink()


def remove(repository: Repository, pool: PoolId) -> None:
    """The whole folder. Safe to repeat; what is no link stays, and the folder with it."""
    folder = Path(repository.pool(pool))
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if (folder / name).is_symlink():
                (folder / name).unlink()
        folder.rmdir()


def _link(path: Path, target: PurePosixPath) -> None:
    relative = os.path.relpath(target, path.parent)
    if path.is_symlink() and os.readlink(path) == relative:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + FRESH)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(relative)
    fresh.replace(path)
