"""Runs in the bed, as the child of its first process: makes the place as settings.json wants it, then runs commands.

It speaks over a serial line with deploy.bed.line outside: one JSON object a line, both ways.

    to the bed    {"run": 7}                                  start the command that the file job-7 describes
                  {"signal": 7, "number": 9}                  to its whole process group
    from the bed  {"ready": true} or {"failed": "why"}        once, first
                  {"id": 7, "out": base64}, or "err"          as it writes
                  {"id": 7, "exit": 0}                        last; negative: the signal

A job is {"argv": [...], "env": {...}, "cwd": "/"}; the file input-7, if it is there, is its standard input. Files,
because the kernel's serial line stands still after a long message to it.

Only the standard library, and little of it: starting it is a tenth of a second of every boot.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

TYPE_CHECKING = False  # typing itself is too heavy here
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FOLDER = Path("/run/bed")
SERVICE = "/run/bed/service"
PIPE_BYTES = 65536
_UPTIME = Path("/proc/uptime")


class Line:
    """The serial line. Writes of several threads do not mix."""

    def __init__(self, path: str) -> None:
        self.number = os.open(path, os.O_RDWR | os.O_NOCTTY)
        make_raw(self.number)
        self.lock = threading.Lock()

    def say(self, **message: Any) -> None:
        data = json.dumps(message).encode() + b"\n"
        with self.lock:
            while data:
                data = data[os.write(self.number, data) :]

    def messages(self) -> Iterator[dict[str, Any]]:
        """Until the other side is gone."""
        held = b""
        while True:
            try:
                data = os.read(self.number, PIPE_BYTES)
            except OSError:
                return
            if not data:
                return
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                yield json.loads(line)


def make_raw(number: int) -> None:
    """Bytes as they are: no echo, no line ends changed."""
    mode = termios.tcgetattr(number)
    mode[0] = mode[1] = mode[3] = 0
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(number, termios.TCSANOW, mode)


class Jobs:
    def __init__(self, line: Line) -> None:
        self.line = line
        self.groups: dict[int, int] = {}

    def handle(self, message: dict[str, Any]) -> None:
        if "run" in message:
            threading.Thread(target=self.run, args=(message["run"],), daemon=True).start()
        elif "signal" in message and message["signal"] in self.groups:
            with suppress(ProcessLookupError):
                os.killpg(self.groups[message["signal"]], message["number"])

    def run(self, key: int) -> None:
        message = json.loads((FOLDER / f"job-{key}").read_text())
        given = FOLDER / f"input-{key}"
        try:
            with (given if given.exists() else Path(os.devnull)).open("rb") as source:
                child = subprocess.Popen(
                    message["argv"],
                    cwd=message["cwd"],
                    env={**os.environ, **message["env"]},
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
        except OSError as error:
            self.line.say(id=key, err=encoded(f"{error}\n".encode()))
            self.line.say(id=key, exit=127)
            return
        self.groups[key] = child.pid
        self.pass_on(key, child)
        del self.groups[key]
        self.line.say(id=key, exit=child.wait())

    def pass_on(self, key: int, child: subprocess.Popen[bytes]) -> None:
        """All that the command writes until its end; what daemons that it leaves behind write later is lost."""
        assert child.stdout
        assert child.stderr
        ended = os.pidfd_open(child.pid)
        names = {child.stdout.fileno(): "out", child.stderr.fileno(): "err"}
        waiting = select.poll()
        for number in (ended, *names):
            waiting.register(number, select.POLLIN)
        try:
            while True:
                ready = {number for number, _ in waiting.poll()}
                for number in ready & set(names):
                    data = os.read(number, PIPE_BYTES)
                    if data:
                        self.line.say(id=key, **{names[number]: encoded(data)})
                    else:
                        waiting.unregister(number)
                if ready == {ended}:
                    return
        finally:
            os.close(ended)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# The place


def prepare(settings: dict[str, Any]) -> None:
    name = settings["name"]
    Path("/proc/sys/kernel/hostname").write_text(name)
    hosts = ["127.0.0.1 localhost", f"127.0.1.1 {name}", *(f"{address} {host}" for host, address in settings["hosts"])]
    Path("/etc/hosts").write_text("\n".join(hosts) + "\n")
    Path("/etc/hostname").write_text(f"{name}\n")
    Path("/etc/machine-id").write_text(settings["machine_id"] + "\n")
    for number, share in enumerate(settings["shares"]):
        mount_share(number, **share)
    for number, card in enumerate(settings["cards"]):
        configure_card(f"{settings['card_prefix']}{number}", card)
    if settings["services"]:
        call([SERVICE, *settings["services"]])


def mount_share(number: int, source: str, target: str, mode: str) -> None:
    os.makedirs(target, exist_ok=True)
    if mode == "private":
        layers = f"/run/shares/{number}"
        lower, own = f"{layers}/lower", f"{layers}/own"
        os.makedirs(lower)
        os.makedirs(own)
        mount_host_folder(source, lower)
        call(["mount", "-n", "-t", "tmpfs", "-o", "mode=755", "tmpfs", own])
        os.makedirs(f"{own}/upper")
        os.makedirs(f"{own}/work")
        options = f"lowerdir={lower},upperdir={own}/upper,workdir={own}/work"
        call(["mount", "-n", "-t", "overlay", "-o", options, "overlay", target])
        return
    mount_host_folder(source, target)
    if mode == "ro":
        call(["mount", "-n", "-o", "remount,bind,ro", target])


def mount_host_folder(source: str, target: str) -> None:
    call(["mount", "-n", "-t", "hostfs", "-o", source, "none", target])


def configure_card(card: str, address: str | None) -> None:
    call(["ip", "link", "set", card, "up"])
    if address:
        call(["ip", "address", "add", address, "dev", card])


def call(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.decode(errors='replace').strip()}")


def main() -> None:
    settings = json.loads((FOLDER / "settings.json").read_text())
    line = Line(sys.argv[1] if len(sys.argv) > 1 else settings["line"])
    try:
        prepare(settings)
    except (OSError, RuntimeError) as error:
        line.say(failed=str(error))
        time.sleep(1)  # the line is to be empty before the power is off
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    line.say(ready=True, uptime=float(_UPTIME.read_text().split()[0]))
    jobs = Jobs(line)
    for message in line.messages():
        jobs.handle(message)


if __name__ == "__main__":
    main()
