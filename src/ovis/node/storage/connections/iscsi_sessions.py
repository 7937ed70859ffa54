"""The iSCSI sessions of this host and what uses their disks, from sysfs. No target is asked.

class/iscsi_session/session<N>/{targetname, tpgt, ifacename}
class/iscsi_connection/connection<N>:0/{persistent_address, persistent_port}    of the portal, as it was given
class/iscsi_session/session<N>/device/target*/*/block/<disk>
block/<disk>/holders/<what lies on it>      a multipath map, a volume group, …
block/<map>/slaves/<its paths>
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Session:
    """`disks`: names of the kernel, such as sdb."""

    target: str
    host: str
    port: int
    group: int
    interface: str
    disks: tuple[str, ...] = ()


def read(sysfs: Path) -> list[Session]:
    """Sessions that come or go meanwhile are left out."""
    folder = sysfs / "class/iscsi_session"
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [session for path in paths if (session := _session(sysfs, path)) is not None]


def users_without(session: Session, sysfs: Path) -> list[str]:
    """What would lose its last path to a disk with this session: names of devices on top of the disks.

    A multipath map that nothing lies on and nobody has open is no user.
    """
    users: set[str] = set()
    for disk in session.disks:
        for holder in _names(sysfs / "block" / disk / "holders"):
            if not _text(sysfs / "block" / holder / "dm/uuid").startswith("mpath-"):
                users.add(_name(sysfs, holder))
            elif set(_names(sysfs / "block" / holder / "slaves")) <= set(session.disks):
                users.update(_name(sysfs, upper) for upper in _names(sysfs / "block" / holder / "holders"))
    return sorted(users)


def _session(sysfs: Path, path: Path) -> Session | None:
    connection = sysfs / "class/iscsi_connection" / f"connection{path.name.removeprefix('session')}:0"
    try:
        return Session(
            target=_must(path / "targetname"),
            host=_must(connection / "persistent_address"),
            port=int(_must(connection / "persistent_port")),
            group=int(_must(path / "tpgt")),
            interface=_text(path / "ifacename") or "default",
            disks=tuple(sorted(found.name for found in (path / "device").glob("target*/*/block/*"))),
        )
    except (OSError, ValueError):
        return None


def _must(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _text(path: Path) -> str:
    try:
        return _must(path)
    except OSError:
        return ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _name(sysfs: Path, device: str) -> str:
    return _text(sysfs / "block" / device / "dm/name") or device
