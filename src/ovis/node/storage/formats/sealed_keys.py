"""Lines of KEY=VALUE under a checksum: `dom_md/metadata` of a file domain.

    CLASS=Data\\n
    DESCRIPTION=first floor\\n           keys sorted, UTF-8
    ...
    VERSION=5\\n
    _SHA_CKSUM=<40 hex digits>\\n        last

The seal is SHA-1 over the sorted "KEY=VALUE" without their line ends, the seal's own line left out. Characters
outside ASCII are hashed as XML character references ("é" as "&#233;"), though they are stored as UTF-8.

Crash safety: rename. The seal is the net below it: a file cut short has no seal, a mixture of two has a wrong one, and
anything behind the seal is refused, so that a reader sees the old keys, the new ones, or SealBroken.
The seal is no protection against intent, and it does not know where one line ends: "A=1" + "B=2" and "A=1B=2" have the
same. That takes a value that holds another key's line; no key here can.

Assumptions: an unsealed file is refused (existing agents take it as it is; they never write one). A key that comes
twice is refused. A value has no blanks at its ends and no control characters, because existing readers strip the former
and split at the latter. Blank lines are passed over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from ovis.node.storage.formats.errors import Broken, SealBroken, TooLong, shown
from ovis.node.storage.formats.keys import is_key

WHAT = "domain metadata"
SEAL = "_SHA_CKSUM"
LIMIT = 1 << 20  # bytes of a metadata file; a real one has about a thousand, more is not one

_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")  # what some reader would take for a line's end


def read(data: bytes) -> dict[str, str]:
    """The keys in `data`, without the seal. Raises Broken, SealBroken."""
    if len(data) > LIMIT:
        raise Broken(WHAT, f"byte {LIMIT}", f"{len(data)} bytes are too many")
    return unseal(_lines(data))


def write(keys: Mapping[str, str]) -> bytes:
    """The whole file. Raises Broken when a key or value cannot stand in a line, TooLong."""
    data = "".join(f"{line}\n" for line in seal(keys)).encode()
    if len(data) > LIMIT:
        raise TooLong(WHAT, f"byte {LIMIT}", f"{len(data)} bytes do not fit")
    return data


def unseal(lines: Iterable[str]) -> dict[str, str]:
    """The keys of `lines`, which come in any order. Raises Broken, SealBroken."""
    keys: dict[str, str] = {}
    for line in lines:
        key, separator, value = line.partition("=")
        if not separator:
            raise Broken(WHAT, shown(line), "has no '='")
        if not is_key(key):
            raise Broken(WHAT, shown(key), "is not a key")
        if key in keys:
            raise Broken(WHAT, key, "comes twice")
        keys[key] = value.strip()
    declared = keys.pop(SEAL, None)
    if declared is None:
        raise SealBroken(WHAT, SEAL, "is missing: the metadata are cut short or empty")
    for key, value in keys.items():
        _check(key, value)
    if declared != checksum(keys):
        raise SealBroken(WHAT, SEAL, f"is {shown(declared)}, should be {checksum(keys)}")
    return keys


def seal(keys: Mapping[str, str]) -> list[str]:
    """`keys` as lines without line ends, sorted, the seal last. Raises Broken."""
    for key, value in keys.items():
        _check(key, value)
    return [f"{key}={keys[key]}" for key in sorted(keys)] + [f"{SEAL}={checksum(keys)}"]


def checksum(keys: Mapping[str, str]) -> str:
    joined = "".join(f"{key}={keys[key]}" for key in sorted(keys))
    return hashlib.sha1(joined.encode("ascii", "xmlcharrefreplace"), usedforsecurity=False).hexdigest()


def _lines(data: bytes) -> Iterable[str]:
    at = 0
    sealed = False
    for raw in data.split(b"\n"):
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise Broken(WHAT, f"byte {at + error.start}", "is not UTF-8") from error
        if line.strip():
            if sealed:
                raise SealBroken(WHAT, f"byte {at}", "there is more behind the seal")
            sealed = line.startswith(f"{SEAL}=")
            yield line
        at += len(raw) + 1


def _check(key: str, value: str) -> None:
    if not is_key(key) or key == SEAL:
        raise Broken(WHAT, shown(key), "is not a key")
    if value != value.strip() or _CONTROL.search(value):
        raise Broken(WHAT, key, f"cannot be kept in a line: {shown(value)}")
