"""DHCP clients of networks: one dhclient for each device and family, which outlives the helper.

    FOLDER/<device>.<4|6>.json         what the client was started for
    FOLDER/<device>.<4|6>.pid          its process; whoever reads this looks whether it is that client still
    FOLDER/<device>.<4|6>.leases       kept over restarts, so that a host asks for the address that it had
    FOLDER/<device>.<4|6>.lease.json   the latest lease, written by the script; agents read it
    FOLDER/script                      run by dhclient at each change; it sets address and routes (dhcp_script.py)

Source: dhclient(8), dhclient-script(8).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import msgspec

from ovis.node import durable_files
from ovis.node.network.state import Dhcp
from ovis.node.privileged.commands import ENVIRONMENT

PROGRAM = "dhclient"
_START_SECONDS, _END_SECONDS = 20.0, 3.0
_NAME = re.compile(r"(?P<device>[^/]+)\.(?P<family>[46])\.json")
_decode = msgspec.json.Decoder(Dhcp).decode


class DhcpClients:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def running(self) -> dict[str, frozenset[Dhcp]]:
        """By device. One whose process has died does not run."""
        found: dict[str, set[Dhcp]] = defaultdict(set)
        with contextlib.suppress(FileNotFoundError):
            for file in self._folder.iterdir():
                named = _NAME.fullmatch(file.name)
                if named and not file.name.endswith(".lease.json"):
                    with contextlib.suppress(OSError, msgspec.DecodeError):
                        client = _decode(file.read_bytes())
                        if self._process(named["device"], client.family):
                            found[named["device"]].add(client)
        return {name: frozenset(clients) for name, clients in found.items()}

    def start(self, device: str, client: Dhcp) -> None:
        """Returns when it runs; its lease comes later. Raises OSError."""
        program = shutil.which(PROGRAM, path=ENVIRONMENT["PATH"])
        if program is None:
            raise OSError(errno.ENOENT, f"{PROGRAM} is not installed: no address by DHCP", device)
        self.stop(device, client)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file(device, client.family, "lease.json").unlink(missing_ok=True)
        durable_files.write(self._file(device, client.family, "json"), msgspec.json.encode(client))
        command = [
            *(program, f"-{client.family}", "-nw", "-q"),
            *("-cf", "/dev/null", "-sf", str(self._script())),
            *("-pf", str(self._file(device, client.family, "pid"))),
            *("-lf", str(self._file(device, client.family, "leases"))),
            *("-e", f"OVIS_FOLDER={self._folder}", device),
        ]
        if os.path.isdir("/run/systemd/system"):  # not in the helper's service: it goes on when that is restarted
            command = ["systemd-run", "--scope", "--quiet", "--collect", "--slice=ovis-networks", *command]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            timeout=_START_SECONDS,
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            raise OSError(errno.EIO, f"{PROGRAM} ended with status {done.returncode}", device)
        until = time.monotonic() + _START_SECONDS
        while not self._process(device, client.family):  # it goes to the background before it has written its number
            if time.monotonic() > until:
                raise OSError(errno.ESRCH, f"{PROGRAM} does not run", device)
            time.sleep(0.02)

    def stop(self, device: str, client: Dhcp) -> None:
        """What it had set on the device is for the caller to remove."""
        process = self._process(device, client.family)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not process:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
            until = time.monotonic() + _END_SECONDS
            while self._is_client(process, device, client.family) and time.monotonic() < until:
                time.sleep(0.01)
            process = self._process(device, client.family)
        for kind in ("json", "pid", "lease.json"):
            self._file(device, client.family, kind).unlink(missing_ok=True)

    def _file(self, device: str, family: int, kind: str) -> Path:
        return self._folder / f"{device}.{family}.{kind}"

    def _process(self, device: str, family: int) -> int:
        """Its number; 0 when it does not run."""
        try:
            number = int(self._file(device, family, "pid").read_text())
        except (OSError, ValueError):
            return 0
        return number if self._is_client(number, device, family) else 0

    def _is_client(self, process: int, device: str, family: int) -> bool:
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return False
        return os.fsencode(self._file(device, family, "pid")) in command.split(b"\0")

    def _script(self) -> Path:
        """A file of one line: dhclient runs a program without arguments."""
        script = self._folder / "script"
        line = f"exec {shlex.quote(sys.executable)} -P -m ovis.node.privileged.dhcp_script"
        content = f"#!/bin/sh\n{line}\n".encode()
        if not script.exists() or script.read_bytes() != content:
            fresh = script.with_name("script.new")
            durable_files.write(fresh, content)
            fresh.chmod(0o700)
            fresh.replace(script)
        return script
