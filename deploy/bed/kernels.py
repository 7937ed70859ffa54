"""The kernels that run as a process: user-mode Linux from Debian packages.

    fast      Debian's unstable suite: handles system calls with seccomp, about twice as fast as with ptrace
    stable    Debian 12: the fallback when the other cannot be had

The fast one is built for a newer C library than Debian 12 has. That library lies beside it; the name of the program
interpreter in the program is replaced by one relative to the working folder.
Source: Documentation/virt/uml; elf(5), PT_INTERP.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.bed.apt import Apt, BuildFailed, Mirror, unpack

FAST, STABLE = "fast", "stable"
FAST_SUITE, STABLE_SUITE = "sid", "bookworm"
_INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"
_LIBRARIES = ("libc.so.6", "ld-linux-x86-64.so.2")


@dataclass(frozen=True)
class Kernel:
    name: str
    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "linux"

    @property
    def modules(self) -> Path:
        """Holds a folder named after the kernel's release."""
        return self.folder / "modules"

    @property
    def libraries(self) -> Path | None:
        libraries = self.folder / "lib"
        return libraries if libraries.is_dir() else None

    @property
    def options(self) -> list[str]:
        return ["seccomp=on"] if self.name == FAST else []


def fetch_fast(mirror: Mirror, scratch: Path, home: Path) -> Kernel:
    """Raises BuildFailed."""
    archives = _fetch(mirror, FAST_SUITE, ["user-mode-linux", "libc6"], scratch)
    for archive in archives:
        unpack(archive, scratch / archive.name.split("_")[0])
    kernel = _install(FAST, scratch / "user-mode-linux", home)
    kernel.program.write_bytes(with_interpreter(kernel.program.read_bytes(), f"lib/{_LIBRARIES[1]}"))
    (home / "lib").mkdir()
    for name in _LIBRARIES:
        found = next((path for path in (scratch / "libc6").rglob(name) if path.is_file()), None)
        if found is None:
            raise BuildFailed(f"libc6 of {FAST_SUITE} has no {name}")
        shutil.copy(found, home / "lib" / name)
    return kernel


def fetch_stable(mirror: Mirror, scratch: Path, home: Path) -> Kernel:
    """Raises BuildFailed."""
    (archive,) = _fetch(mirror, STABLE_SUITE, ["user-mode-linux"], scratch)
    unpack(archive, scratch / "user-mode-linux")
    return _install(STABLE, scratch / "user-mode-linux", home)


def with_interpreter(program: bytes, path: str) -> bytes:
    """The program with another PT_INTERP. Raises BuildFailed: the path is too long, or there is not exactly one."""
    new = path.encode() + b"\0"
    if program.count(_INTERPRETER) != 1 or len(new) > len(_INTERPRETER):
        raise BuildFailed(f"cannot make {path} the program's interpreter")
    return program.replace(_INTERPRETER, new.ljust(len(_INTERPRETER), b"\0"))


def _fetch(mirror: Mirror, suite: str, names: list[str], scratch: Path) -> list[Path]:
    scratch.mkdir()
    with tempfile.TemporaryDirectory(dir=scratch) as state:
        apt = Apt(Path(state), mirror.source(suite))
        apt.update()
        return apt.fetch(names, scratch / "archives")


def _install(name: str, package: Path, home: Path) -> Kernel:
    home.mkdir(parents=True)
    kernel = Kernel(name, home)
    shutil.copy(package / "usr/bin/linux.uml", kernel.program)
    kernel.program.chmod(0o755)
    (package / "usr/lib/uml/modules").rename(kernel.modules)
    return kernel
