"""A bed: a full Linux kernel that runs as a process, with a Debian of its own; commands are run in it from outside.

    with Bed(BedSettings("demo", services=("udev", "nfs"))) as bed:
        bed.run(["exportfs", "-v"]).out

It ends with the process that made it, even when that is killed: its processes are in a PID namespace whose first one
(_KEEPER) ends when its standard input does. All that it writes to lies in one folder in memory, removed at the end;
what a killed owner could not remove goes with the next bed that starts.

Up to a second and a half to boot, 0.02 s for a command. Root only: it takes namespaces.
"""

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.bed import scratch, settings, uml
from deploy.bed.image import Image, built
from deploy.bed.line import BedEnded, BedNotReady, Job, Line
from deploy.bed.settings import BedSettings

__all__ = ["Bed", "BedEnded", "BedSettings", "CommandFailed", "Done"]

_BOOT_SECONDS = 180.0  # on a machine that does much else
_END_SECONDS = 20.0

# The first process of the bed's PID namespace. `cat` waits for the end of our standard input; whichever ends first, it
# or the kernel, ends the shell, and with it everything in the namespace.
_KEEPER = '"$@" < /dev/null & kernel=$!; exec 3<&0; { cat <&3 > /dev/null; kill -9 $kernel; } & wait $kernel'


class CommandFailed(Exception):
    """A command in the bed ended with another exit code than 0."""

    def __init__(self, bed: str, arguments: Sequence[str], done: "Done") -> None:
        self.done = done
        told = "\n".join((done.out + done.err).strip().splitlines()[-30:])
        super().__init__(f"in bed {bed}: {' '.join(arguments)} ended with {done.code}:\n{told}")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class Bed:
    settings: BedSettings
    image: Image = field(default_factory=built)
    ports: list[str] = field(default_factory=list)
    """Of each card, the switch's port that it is plugged into."""
    folder: Path = Path()
    _keeper: subprocess.Popen[bytes] | None = None
    _line: Line | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def name(self) -> str:
        return self.settings.name

    def start(self) -> None:
        """Boot; returns when the services serve. Raises BedNotReady."""
        scratch.sweep()
        self.folder = scratch.new(self.name)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.ports = [card.switch.new_port(card.network) for card in self.settings.cards]
        settings.write(self.settings, self.folder / "inside", machine_id=uuid.uuid4().hex)
        ours, theirs = socket.socketpair()
        with theirs, (self.folder / "console").open("wb") as console:
            kernel = uml.command(self.settings, self.image, self.folder, self.ports, theirs.fileno())
            self._keeper = subprocess.Popen(
                [*self._namespaces(), "sh", "-c", _KEEPER, "bed", *kernel.arguments],
                cwd=kernel.folder,
                env={"PATH": os.environ["PATH"], "TMPDIR": str(self.folder)},
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=console,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._line = Line(ours, self.folder / "inside")
        try:
            self._line.await_ready(_BOOT_SECONDS)
        except (BedNotReady, BedEnded, TimeoutError) as error:
            raise BedNotReady(f"bed {self.name}: {error}\n{self.console()}") from error

    def _namespaces(self) -> list[str]:
        processor = scratch.take_processor(self.folder)
        # The kernel hands over to its processes at each system call; across CPUs that costs four times more.
        command = ["taskset", "--cpu-list", str(processor)]
        if self.settings.cards:
            command += ["nsenter", f"--net={self.settings.cards[0].switch.namespace}"]
        return [*command, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

    def stop(self) -> None:
        """As if its power had been cut; what was synced to disks that are files stays. Safe to repeat."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._keeper is not None:
            assert self._keeper.stdin
            with suppress(OSError):
                self._keeper.stdin.close()
            self._keeper.wait(_END_SECONDS)
            self._keeper = None
        for card, port in zip(self.settings.cards, self.ports, strict=False):
            card.switch.ip("link", "delete", port)
        self.ports = []
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()

    @property
    def is_up(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    # Commands

    def begin(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: str | Path = "/",
        given: bytes = b"",
    ) -> Job:
        """Start a command without waiting for it; `given` is its standard input. Raises BedEnded."""
        if self._line is None:
            raise BedEnded(f"bed {self.name} is not up")
        words = [str(argument) for argument in arguments]
        return self._line.run(words, environment=environment or {}, folder=str(folder), given=given)

    def run(
        self,
        arguments: Sequence[str | Path],
        *,
        deadline: float = 60,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
        folder: str | Path = "/",
        given: bytes = b"",
    ) -> Done:
        """Run a command to its end. Raises CommandFailed (with `check`), TimeoutError, BedEnded."""
        told = {"out": b"", "err": b""}

        def receive(kind: str, data: bytes) -> None:
            told[kind] += data

        job = self.begin(arguments, environment=environment, folder=folder, given=given)
        try:
            code = job.follow(receive, deadline=deadline)
        except TimeoutError as error:
            words = " ".join(map(str, arguments))
            said = (told["out"] + told["err"]).decode(errors="replace")
            raise TimeoutError(f"in bed {self.name}: {words}: {error}\n{said[-2000:]}") from None
        done = Done(code, told["out"].decode(errors="replace"), told["err"].decode(errors="replace"))
        if check and code:
            raise CommandFailed(self.name, [str(argument) for argument in arguments], done)
        return done

    def shell(self, script: str, *, deadline: float = 60, check: bool = True) -> str:
        """Run a bash script that ends at its first failure; its standard output."""
        return self.run(["bash", "-euc", script], deadline=deadline, check=check).out

    def serve(self, *services: str, deadline: float = 60) -> None:
        """Start services (files/service) that are not up."""
        self.run([settings.SERVICE, *services], deadline=deadline)

    def console(self, lines: int = 40) -> str:
        """The last that its kernel said."""
        try:
            text = (self.folder / "console").read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.replace("\r", "").splitlines()[-lines:])

    # The network

    def unplug(self, card: int = 0) -> None:
        """The card's cable is dead from here on."""
        self.settings.cards[card].switch.cut(self.ports[card])

    def plug(self, card: int = 0) -> None:
        plugged = self.settings.cards[card]
        plugged.switch.mend(self.ports[card], plugged.network)
