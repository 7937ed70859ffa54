"""apt with sources and state of its own: packages of any Debian suite; the machine's configuration stays as it is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 300
_MAIN, _SECURITY = "Debian", "Debian-Security"


class BuildFailed(Exception):
    """A step of building the bed; the text says which, and the end of what it said."""


@dataclass(frozen=True)
class Mirror:
    main: str
    security: str | None
    """None: the machine has none, the bed then does without."""

    def source(self, suite: str) -> str:
        return f"deb [signed-by={KEYRING}] {self.main} {suite} main"

    def sources(self, suite: str) -> list[str]:
        """All of a stable suite."""
        lines = [self.source(suite), self.source(f"{suite}-updates")]
        if self.security:
            lines.append(f"deb [signed-by={KEYRING}] {self.security} {suite}-security main")
        return lines


def mirror() -> Mirror:
    """The Debian mirrors that this machine's apt already uses. Raises BuildFailed."""
    found = _addresses()
    if _MAIN not in found:  # they have names only after they were read once
        command(["apt-get", "-q", "update"])
        found = _addresses()
    if _MAIN not in found:
        raise BuildFailed("apt has no Debian mirror among its sources")
    return Mirror(found[_MAIN], found.get(_SECURITY))


def _addresses() -> dict[str, str]:
    """{label: address} of Debian's own sources."""
    wanted = "$(REPO_URI) $(ORIGIN) $(LABEL)"
    listed = command(["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"], seconds=30)
    found: dict[str, str] = {}
    for line in listed.splitlines():
        address, origin, label = [*line.split(" ", 2), "", ""][:3]
        if origin == "Debian":
            found.setdefault(label, address.rstrip("/"))
    return found


@dataclass(frozen=True)
class Apt:
    """One suite, its lists kept in a folder."""

    folder: Path
    source: str

    def update(self) -> None:
        for part in ("lists/partial", "cache/archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "sources.list").write_text(f"{self.source}\n")
        self._run("update")

    def fetch(self, names: list[str], into: Path) -> list[Path]:
        """Download these packages; the archives. Raises BuildFailed."""
        into.mkdir(parents=True, exist_ok=True)
        self._run("download", *names, cwd=into)
        return sorted(into.glob("*.deb"))

    def _run(self, *arguments: str, cwd: Path | None = None) -> str:
        settings = {
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "APT::Sandbox::User": "root",  # user _apt may not write to a private folder
            "Acquire::Languages": "none",
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        return command(["apt-get", "-q", *options, *arguments], cwd=cwd)


def unpack(archive: Path, into: Path) -> None:
    command(["dpkg-deb", "--extract", str(archive), str(into)])


def command(arguments: list[str], *, seconds: float = _SECONDS, cwd: Path | None = None) -> str:
    """Run a program; its standard output. Raises BuildFailed."""
    try:
        done = subprocess.run(
            arguments,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildFailed(f"{arguments[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"{' '.join(arguments[:4])} … did not end within {seconds:.0f} s") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise BuildFailed(f"{' '.join(arguments[:4])} … ended with {done.returncode}:\n{tail}")
    return done.stdout
