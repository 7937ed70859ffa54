"""KVM or emulation: decided by running a guest, never by the presence of /dev/kvm.

There are machines (nested virtualization, para-virtual KVM variants) where /dev/kvm opens, QEMU starts and the firmware
runs, but a guest kernel hangs. So the first stage of the tiny guest must say that it runs, on its serial console.

The answer is kept in a file. "Yes" holds for the same kernel release, QEMU and CPU; "no" besides only until the next
boot, because a firmware setting or a module option may have changed by then.
"""

import asyncio
import contextlib
import logging
import os
import platform
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

STAGE_1 = b"OVIS GUEST STAGE 1"
COMMAND_LINE = "console=ttyS0 ovis.probe quiet"  # with ovis.probe the guest powers off after stage 1
PROBE_SECONDS = 8.0  # emulation takes 1.8-2.3 s on 2 slow cores; KVM that works is quicker
OUTPUT_LIMIT = 64 * 1024


class Kind(StrEnum):
    KVM = "kvm"
    TCG = "tcg"


@dataclass(frozen=True)
class Acceleration:
    """`probed` is False when nothing was tried: then `reason` says why, and what would have been needed."""

    kind: Kind
    reason: str
    probed: bool = False


@dataclass(frozen=True)
class Probe:
    """What to try. `emulator` is found by PATH if it is not absolute."""

    kernel: Path
    initrd: Path
    emulator: str = "qemu-system-x86_64"
    memory_mib: int = 128
    seconds: float = PROBE_SECONDS
    device: Path = Path("/dev/kvm")


class _Remembered(msgspec.Struct, frozen=True):
    key: str
    boot: str
    kind: Kind
    reason: str


async def choose(probe: Probe, *, state_file: Path, wanted: Kind | None = None, refresh: bool = False) -> Acceleration:
    """`wanted` comes from the configuration and is not tried. `refresh` tries again whatever is remembered."""
    if wanted:
        return Acceleration(wanted, "set in the configuration")
    if not probe.device.exists():
        return Acceleration(Kind.TCG, f"there is no {probe.device}")
    for file in (probe.kernel, probe.initrd):
        if not file.is_file():
            log.warning("there is %s, but KVM was not tried: the probe guest %s is missing", probe.device, file)
            return Acceleration(Kind.TCG, f"KVM was not tried: the probe guest {file} is missing")
    try:
        key = await _key(probe.emulator)
    except OSError as error:
        return Acceleration(Kind.TCG, f"KVM was not tried: {probe.emulator} does not run: {error}")
    if not refresh and (known := _recall(state_file, key)):
        return known
    found = await run(probe, Kind.KVM)
    _remember(state_file, key, found)
    log.info("acceleration %s: %s", found.kind, found.reason)
    return found


async def run(probe: Probe, accelerator: Kind) -> Acceleration:
    """Start the guest and wait for its first stage. Takes `probe.seconds` at most; no process is left, also when
    cancelled. Raises OSError when the emulator cannot be started."""
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        probe.emulator,
        *("-accel", accelerator.value, "-m", str(probe.memory_mib), "-no-user-config", "-nodefaults", "-no-reboot"),
        *("-display", "none", "-monitor", "none", "-serial", "stdio"),
        *("-kernel", str(probe.kernel), "-initrd", str(probe.initrd), "-append", COMMAND_LINE),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a process group of its own: all of it is killed
    )
    output = bytearray()
    try:
        async with asyncio.timeout(probe.seconds):
            ran = await _stage_1_in(process, output)
    except TimeoutError:
        ran = None
    finally:
        await _end(process)
    name = accelerator.value.upper()
    if ran:
        seconds = time.monotonic() - begun
        return Acceleration(accelerator, f"a guest ran under {name}, {seconds:.1f} s after its start", probed=True)
    if ran is None:
        why = f"under {name} a guest did not run within {probe.seconds:g} s"
    else:
        why = f"under {name} QEMU ended before the guest ran: {_last_line(output)}"
    return Acceleration(Kind.TCG, why, probed=True)


async def _stage_1_in(process: asyncio.subprocess.Process, output: bytearray) -> bool:
    """False at the end of the output."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(4096):
        output += chunk
        if STAGE_1 in output:
            return True
        del output[:-OUTPUT_LIMIT]
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGKILL to the group. A process that hangs in the kernel even so is given up after 5 s."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        log.warning("probe process %d does not end on SIGKILL", process.pid)


def _last_line(output: bytearray) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


async def _key(emulator: str) -> str:
    """Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        emulator,
        "--version",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(10):
            version, _ = await process.communicate()
    finally:
        if process.returncode is None:
            await _end(process)
    first = version.decode(errors="replace").splitlines()[:1] or ["unknown version"]
    return " | ".join((platform.release(), first[0], _cpu_model()))


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _recall(state_file: Path, key: str) -> Acceleration | None:
    try:
        known = msgspec.json.decode(state_file.read_bytes(), type=_Remembered)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("%s is of no use, KVM is tried again: %s", state_file, error)
        return None
    if known.key != key or (known.kind is not Kind.KVM and known.boot != _boot()):
        return None
    return Acceleration(known.kind, f"{known.reason} (remembered)", probed=True)


def _remember(state_file: Path, key: str, found: Acceleration) -> None:
    """Losing it costs a new probe, so a failure is only logged."""
    text = msgspec.json.encode(_Remembered(key, _boot(), found.kind, found.reason))
    fresh = state_file.with_name(f".{state_file.name}.{os.getpid()}")
    try:
        state_file.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(state_file)
    except OSError as error:
        log.warning("cannot keep the result of the KVM probe in %s: %s", state_file, error)
        with contextlib.suppress(OSError):
            fresh.unlink()
