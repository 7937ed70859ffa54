"""Virtual hosts: sets of namespaces on the machine's kernel, each with a libvirtd of its own.

    with virtual_host("demo") as host:
        host.exec(["virsh", "list"])
        connect(host.libvirt_uri)

A host has its own processes, mounts, network, host name, cgroups, /run, /dev (without /dev/kvm) and libvirt folders; it
shares every other file with the machine, so a path means the same on both sides. All hosts of one rig folder
(`OVIS_RIG_DIR`, else /tmp/ovis-rig) are on one switch (`network.py`).

    RIG/.lock             held while hosts are entered into or struck from the rig
    RIG/NAME/host.json    what was promised to NAME: written before anything is made, so that `down` finds it all
    RIG/NAME/run ...      the host's private folders; libvirt's socket is run/libvirt/libvirt-sock
"""

import fcntl
import hashlib
import itertools
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from deploy.rig import cgroups, libvirt_settings, network
from deploy.rig.host import RECORD, RigError, VirtualHost, await_libvirt, read, write
from deploy.rig.inside import PRIVATE_FOLDERS, Settings
from deploy.rig.processes import process

__all__ = ["RigError", "VirtualHost", "down", "find", "hosts", "missing", "up", "virtual_host"]

log = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_SOURCE_ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("unshare", "nsenter", "mount", "ip", "dnsmasq", "virtlogd", "libvirtd", "virsh", "qemu-system-x86_64")
_UNSHARE = [
    "unshare",
    "--fork",
    "--kill-child",
    "--pid",
    "--mount",
    "--net",
    "--uts",
    "--ipc",
    "--propagation",
    "private",
]
_DEFAULT_RIG = "/tmp/ovis-rig"  # noqa: S108  (checked for its owner before use)
_END_SECONDS = 20.0
_SOCKET_PATH_BYTES = 107  # sockaddr_un.sun_path without its NUL


@contextmanager
def virtual_host(name: str, *, rig: Path | None = None, lock_manager: str = "") -> Iterator[VirtualHost]:
    """A host for as long as the block runs. `name` gets this process's number appended, so that runs can overlap."""
    host = up(f"{name}-{os.getpid()}", rig=rig, ends_with_owner=True, lock_manager=lock_manager)
    try:
        yield host
    finally:
        down(host.name, rig=rig)


def missing() -> str | None:
    """Why no virtual host can be made here, or None."""
    if os.geteuid() != 0:
        return "virtual hosts need root (namespaces, mounts)"
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"not found: {', '.join(absent)} (make setup installs them; PATH must hold /usr/sbin)"
    tried = subprocess.run(
        [*_UNSHARE, "--cgroup", "true"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=10,
        check=False,
    )
    return f"the kernel or container refuses namespaces: {tried.stderr.strip()}" if tried.returncode else None


def up(
    name: str,
    *,
    index: int | None = None,
    rig: Path | None = None,
    ends_with_owner: bool = False,
    lock_manager: str = "",
) -> VirtualHost:
    """Make a host; returns when its libvirtd answers. Raises RigError, and then nothing is left of it.

    `ends_with_owner`: it ends when this process does, however that happens. `lock_manager`: of its libvirt, for leases
    of VMs; a daemon of its own is the caller's business (sanlock.py).
    """
    if not _NAME.fullmatch(name):
        raise RigError(f"{name!r} is no host name: lower-case letters, digits and -, at most 31, a letter first")
    if reason := missing():
        raise RigError(reason)
    rig = _rig_folder(rig)
    with _locked(rig):
        _sweep(rig)
        host = _enter(rig, name, index, ends_with_owner=ends_with_owner, lock_manager=lock_manager)
    try:
        return _start(rig, host)
    except BaseException as error:
        logs = _last_lines(host.log_dir)
        down(name, rig=rig)
        if isinstance(error, OSError | TimeoutError | subprocess.SubprocessError):
            raise RigError(f"virtual host {name} did not start: {error}\n{logs}") from error
        raise


def down(name: str, *, rig: Path | None = None) -> None:
    """End a host and remove everything of it, whatever state it is in. Safe to repeat."""
    rig = _rig_folder(rig)
    with _locked(rig):
        if (rig / name / RECORD).exists():
            _remove(rig, read(rig / name))
        _remove_empty(rig)


def hosts(*, rig: Path | None = None) -> list[VirtualHost]:
    """All hosts of the rig, up or not, by index."""
    found = []
    for path in _rig_folder(rig).glob(f"*/{RECORD}"):
        with suppress(FileNotFoundError):  # another process takes it down in this moment
            found.append(read(path.parent))
    return sorted(found, key=lambda host: host.index)


def find(name: str, *, rig: Path | None = None) -> VirtualHost:
    """Raises RigError."""
    for host in hosts(rig=rig):
        if host.name == name and host.is_up:
            return host
    raise RigError(f"no virtual host {name} is up in {_rig_folder(rig)}")


def _start(rig: Path, host: VirtualHost) -> VirtualHost:
    group = _cgroup(rig, host)
    cgroups.create(group)
    with (host.log_dir / "init.log").open("wb") as output:
        starter = subprocess.Popen(
            [*_UNSHARE, sys.executable, "-m", "deploy.rig.inside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env={**os.environ, "PYTHONPATH": str(_SOURCE_ROOT)},
            start_new_session=True,
        )
    _STARTERS[host.name] = starter
    assert starter.stdin
    assert starter.stdout
    reported = starter.stdout.readline().strip()
    if not reported:
        raise RigError(f"virtual host {host.name}: no first process")
    host = replace(host, first_process=process(int(reported)))
    with _locked(rig):
        write(host)
        switch = _switch(rig)
        switch.ensure()
        switch.connect(host.index, int(reported))
    settings = Settings(host.name, host.index, str(host.folder), group, ends_with_owner=host.ends_with_owner)
    starter.stdin.write(settings.to_line())
    starter.stdin.flush()
    starter.stdout.close()
    if not host.ends_with_owner:
        starter.stdin.close()
    await_libvirt(host)
    return host


_STARTERS: dict[str, subprocess.Popen[bytes]] = {}
"""What this process started. The end of a starter's standard input tells a host that its owner is gone: it stays open
for the hosts that shall notice."""


def _enter(rig: Path, name: str, index: int | None, *, ends_with_owner: bool, lock_manager: str) -> VirtualHost:
    present = {host.name: host for host in hosts(rig=rig)}
    if name in present:
        if present[name].is_up or present[name].owner.is_alive:
            raise RigError(f"virtual host {name} is there already")
        _remove(rig, present.pop(name))
    used = {host.index for host in present.values()}
    free = next((number for number in network.HOST_INDEXES if number not in used), None)
    chosen = free if index is None else index
    if chosen is None or chosen in used or chosen not in network.HOST_INDEXES:
        raise RigError(f"index {chosen} is not free in {rig}; in use: {sorted(used)}")
    host = VirtualHost(
        name, chosen, str(uuid.uuid4()), rig / name, process(os.getpid()), ends_with_owner=ends_with_owner
    )
    if len(os.fsencode(host.libvirt_socket)) > _SOCKET_PATH_BYTES:
        raise RigError(f"{host.libvirt_socket} is too long for a socket; set OVIS_RIG_DIR to a shorter folder")
    shutil.rmtree(host.folder, ignore_errors=True)  # a host.json was never written into it
    host.folder.mkdir()
    write(host)
    for folder in ("dev", "run/libvirt", "run/lock", "state/images", *PRIVATE_FOLDERS):
        (host.folder / folder).mkdir(parents=True, exist_ok=True)
    libvirt_settings.write(host.folder, host_uuid=host.uuid, address=host.address, lock_manager=lock_manager)
    (host.folder / "hosts").write_text(f"127.0.0.1 localhost\n{host.address} {name}\n")
    (host.folder / "hostname").write_text(f"{name}\n")
    (host.folder / "machine-id").write_text(f"{uuid.UUID(host.uuid).hex}\n")
    (host.folder / "resolv.conf").write_text("")
    return host


def _sweep(rig: Path) -> None:
    """Remove hosts whose owner was killed before it could."""
    for host in hosts(rig=rig):
        if host.ends_with_owner and not host.owner.is_alive:
            try:
                _remove(rig, host)
            except OSError as error:  # its index stays taken; another host need not suffer for it
                log.warning("virtual host %s, left by a dead process, cannot be removed: %s", host.name, error)


def _remove(rig: Path, host: VirtualHost) -> None:
    if host.first_process:
        host.first_process.kill(deadline=_END_SECONDS)
    if starter := _STARTERS.pop(host.name, None):
        assert starter.stdin
        starter.stdin.close()
        starter.wait(_END_SECONDS)
    _switch(rig).disconnect(host.index)
    cgroups.remove(_cgroup(rig, host))
    shutil.rmtree(host.folder)


def _remove_empty(rig: Path) -> None:
    if not any(rig.glob(f"*/{RECORD}")):
        _switch(rig).remove()


def _rig_folder(rig: Path | None) -> Path:
    folder = (rig or Path(os.environ.get("OVIS_RIG_DIR", _DEFAULT_RIG))).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise RigError(f"{folder} is not a folder of this user")  # /tmp is everybody's
    return folder


def _switch(rig: Path) -> network.Switch:
    return network.Switch(f"ovis-rig-{_digest(rig)}")


def _cgroup(rig: Path, host: VirtualHost) -> str:
    return f"ovis-rig-{_digest(rig)}/{host.name}"


def _digest(rig: Path) -> str:
    return hashlib.sha256(os.fsencode(rig.resolve())).hexdigest()[:6]


@contextmanager
def _locked(rig: Path) -> Iterator[None]:
    with (rig / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last_lines(folder: Path, count: int = 10) -> str:
    tails = (
        (path.name, path.read_text(errors="replace").splitlines()[-count:]) for path in sorted(folder.glob("*.log"))
    )
    return "\n".join(itertools.chain.from_iterable([f"{name}:", *lines] for name, lines in tails if lines))
