"""Reading what callers send: old and new names of a field, empty ones being absent, paths in one spelling."""

from __future__ import annotations

import posixpath

from ovis.node.storage.connections.errors import WrongParameters


def needed(field: str, *values: str | None) -> str:
    """The first that says something. Raises WrongParameters."""
    for value in values:
        if value:
            return value
    raise WrongParameters(field, "it is missing")


def options(text: str | None) -> tuple[str, ...]:
    return tuple(option for option in (part.strip() for part in (text or "").split(",")) if option)


def merged(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Options of which the later ones replace the earlier of the same name; hard and soft are one name."""
    found: dict[str, str] = {}
    for option in (option for group in groups for option in group):
        name = option.partition("=")[0]
        found[_SAME.get(name, name)] = option
    return tuple(found.values())


_SAME = {"hard": "soft", "softerr": "soft", "nfsvers": "vers", "nolock": "lock", "sharecache": "nosharecache"}


def remote_path(text: str, field: str = "connection") -> str:
    """`server:/path` with a plain path; IPv6 addresses stand in brackets. Raises WrongParameters."""
    server, colon, path = text.rpartition(":/")
    if not colon or not server or server.startswith("/") or (":" in server and not server.startswith("[")):
        raise WrongParameters(field, f"{text!r} is not server:/path")
    return f"{server}:{absolute('/' + path, field)}"


def absolute(path: str, field: str) -> str:
    """Without doubled or closing slashes. Raises WrongParameters."""
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise WrongParameters(field, f"{path!r} is not a plain absolute path")
    return posixpath.normpath("/" + path.lstrip("/"))
