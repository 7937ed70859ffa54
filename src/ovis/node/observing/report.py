"""`ovis node report`: what whoever helps needs to know of this host, in one archive, without secrets.

    ovis-report-HOST-TIME/
      manifest.json      what is in it, what could not be had and why
      api/               answers of the agent, when it answers
      commands/          what programs of the host say
      files/             configuration, state, logs (the ends of long ones)

Nothing is changed. Each question has its deadline; one that fails is told and left out.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import shutil
import socket
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ovis import __version__
from ovis.client import untyped
from ovis.node import config, processes
from ovis.node.observing.masking import masked

LONGEST_FILE = 1 << 20
LONGEST_OUTPUT = 4 << 20
COMMAND_SECONDS = 20.0
CALL_SECONDS = 30.0
FILES_MOST = 500

CALLS = (
    "Host.getCapabilities",
    "Host.getStats",
    "Host.getHardwareInfo",
    "Host.getAllVmStats",
    "Host.getVMFullList",
    "Host.getJobs",
    "Host.getStorageRepoStats",
    "Host.getConnectedStoragePools",
    "Host.getAllTasksStatuses",
    "Policy.show",
)
UNITS = (
    "ovisd",
    "ovis-privileged",
    "libvirtd",
    "virtqemud",
    "sanlock",
    "wdmd",
    "multipathd",
    "iscsid",
    "ovirt-imageio",
)
COMMANDS = (
    " ".join(["journalctl --no-pager --since -2days --lines 20000", *(f"--unit {name}" for name in UNITS)]),
    "systemctl --no-pager --failed",
    "virsh --readonly --connect qemu:///system list --all",
    "virsh --readonly --connect qemu:///system version",
    "sanlock client status -D",
    "multipath -ll",
    "lsblk --json --output-all",
    "pvs --readonly --all --reportformat json",
    "vgs --readonly --reportformat json -o +tags",
    "lvs --readonly --reportformat json -o +tags",
    "iscsiadm --mode session --print 1",
    "ip -details -json address",
    "ip -json route show table all",
    "bridge -json vlan",
    "df --print-type",
    "free --bytes",
    "ps -eo pid,ppid,user,rss,etimes,stat,wchan:20,comm",
    "dpkg-query --list libvirt* qemu* sanlock lvm2 multipath-tools open-iscsi",
    "rpm -q libvirt qemu-kvm sanlock lvm2 device-mapper-multipath iscsi-initiator-utils",
)
FILES = (
    "/etc/os-release",
    "/etc/libvirt/*.conf",
    "/etc/multipath.conf",
    "/etc/multipath/conf.d/*",
    "/etc/lvm/lvm.conf",
    "/etc/lvm/lvmlocal.conf",
    "/etc/sanlock/*.conf",
    "/proc/cmdline",
    "/proc/meminfo",
    "/proc/self/mounts",
    "/proc/pressure/*",
    "/var/log/libvirt/qemu/*.log",
    "/var/log/libvirt/*.log",
    "/var/log/sanlock.log",
)
STATE = ("vms/*", "jobs/*", "host.id", "acceleration.json", "policy/*", "storage/*.json")


@dataclass
class Bundle:
    """An archive that is being written. `missing`: what could not be had, with the reason."""

    archive: tarfile.TarFile
    name: str
    now: float
    inside: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, place: str, text: str) -> None:
        data = masked(text).encode()
        entry = tarfile.TarInfo(f"{self.name}/{place}")
        entry.size, entry.mtime, entry.mode = len(data), int(self.now), 0o600
        self.archive.addfile(entry, io.BytesIO(data))
        self.inside.append(place)


def ask_agent(bundle: Bundle, path: Path) -> None:
    """Everything that it knows. A verb that fails, or no agent at all, is told."""
    try:
        with closing(untyped.BlockingConnection.open(untyped.UnixTarget(str(path)))) as connection:
            for method in CALLS:
                try:
                    answer = bytes(connection.call(method, b"{}", timeout=CALL_SECONDS))
                    bundle.add(f"api/{method}.json", json.dumps(json.loads(answer), indent=1))
                except (untyped.RpcError, untyped.CallTimeout) as error:
                    bundle.missing[f"api/{method}"] = str(error)
    except (untyped.WireError, OSError) as error:
        bundle.missing["api"] = f"the agent at {path} does not answer: {error}"


async def run_commands(bundle: Bundle, commands: Sequence[str]) -> None:
    for line in commands:
        words = line.split()
        place = "commands/" + "".join(c if c.isalnum() or c in "-." else "_" for c in line)[:80]
        limits = processes.Limits(is_background=True)
        command = processes.Command(words, limits, output_limit=LONGEST_OUTPUT, environment={"LC_ALL": "C.UTF-8"})
        if shutil.which(words[0]) is None:
            bundle.missing[place] = f"{words[0]} is not installed"
            continue
        try:
            ended = await processes.run(command, seconds=COMMAND_SECONDS)
        except (OSError, processes.Stalled) as error:
            bundle.missing[place] = str(error)
            continue
        output = ended.output.decode(errors="replace")
        if ended.status:
            bundle.missing[place] = ended.complaint
        if output:
            bundle.add(place, output)


def add_files(bundle: Bundle, root: Path, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        for path in sorted(_matching(root, pattern))[:FILES_MOST]:
            try:
                text = _end_of(path)
            except OSError as error:
                bundle.missing[f"files/{path}"] = error.strerror or str(error)
                continue
            bundle.add("files" + str(path), text)


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    """Ordinary files only: a link could lead to a secret, a pipe would be waited for."""
    for path in root.glob(pattern.removeprefix("/")):
        if path.is_file() and not path.is_symlink():
            yield path


def _end_of(path: Path) -> str:
    """Without what stands before the last MiB. Files of the kernel have no size."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LONGEST_FILE:
            file.seek(size - LONGEST_FILE)
        return file.read(LONGEST_FILE).decode(errors="replace")


def write(target: Path, fill: Callable[[Bundle], None], *, now: float, host: str) -> Bundle:
    """For its owner only, and under its name when it is whole. Raises FileExistsError, OSError."""
    if target.exists():
        raise FileExistsError(17, "there is one already", str(target))
    name = f"ovis-report-{host}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}"
    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            bundle = Bundle(archive, name, now)
            fill(bundle)
            about = {"ovis": __version__, "host": host, "time": now, "missing": bundle.missing, "inside": bundle.inside}
            bundle.add("manifest.json", json.dumps(about, indent=1))
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return bundle


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    now, host = time.time(), socket.gethostname().partition(".")[0]
    default = Path(f"ovis-report-{host}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}.tar.gz")
    try:
        settings = config.load(options.config)
        files = [*FILES, str(options.config or config.DEFAULT_FILE)]
        files += [f"{settings.state_folder}/{name}" for name in STATE]

        def fill(bundle: Bundle) -> None:
            ask_agent(bundle, options.socket or settings.socket)
            asyncio.run(run_commands(bundle, COMMANDS))
            add_files(bundle, Path("/"), files)

        target = (options.output or default).absolute()
        bundle = write(target, fill, now=now, host=host)
    except (config.ConfigError, OSError) as error:
        print(f"ovis node report: {error}", file=sys.stderr)
        return 1
    print(f"{target}: {len(bundle.inside)} parts, {len(bundle.missing)} could not be had (manifest.json says why)")
    print("Passwords, tickets and keys are masked. Names and addresses are not: read it before you give it away.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ovis node report", description="Collect what whoever helps needs to know of this host, without secrets."
    )
    parser.add_argument("--output", type=Path, help="the archive; it must not exist yet")
    parser.add_argument("--config", type=Path, help="the agent's configuration file")
    parser.add_argument("--socket", type=Path, help="the agent's socket, if not the configured one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
