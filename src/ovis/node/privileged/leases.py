"""What sanlock says of a process: which leases it holds.

Source: sanlock_resource.h (sanlock_inquire), sanlock.8 on "lockspace:resource:path:offset[:path:offset...]:version".
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import re

from ovis.node.privileged.errors import Refused

LIBRARIES = ("libsanlock_client.so.1", "libsanlock.so.1")
MANAGER = "SDM"
"""The lease of whoever may change the metadata of a domain; on a pool's master it makes the SPM."""
SECONDS = 30.0
AGAIN_SECONDS = 0.05


async def is_manager(process: int) -> bool:
    """Whether it holds the lease of some domain's manager. Raises Refused when nobody can tell."""
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    return MANAGER in names(await asyncio.to_thread(held_by, process))
                except OSError as error:
                    if error.errno != errno.EBUSY:  # sanlock is taking or giving back a lease of that process just now
                        raise
                await asyncio.sleep(AGAIN_SECONDS)
    except (OSError, TimeoutError) as error:
        problem = str(error) or f"it does not answer within {SECONDS:g} s"
        raise Refused(
            "a change without a lease", f"sanlock cannot tell what process {process} holds: {problem}"
        ) from error


def names(state: str) -> list[str]:
    """Of the resources in sanlock's words; a colon in a name is written with a backslash."""
    return [re.split(r"(?<!\\):", one)[1] for one in state.split() if ":" in one]


def held_by(process: int) -> str:
    """In sanlock's words. Blocks. Raises OSError."""
    library = _library()
    count, state = ctypes.c_int(), ctypes.c_char_p()
    number = library.sanlock_inquire(-1, process, ctypes.c_uint32(0), ctypes.byref(count), ctypes.byref(state))
    if number < 0:
        raise OSError(-number, os.strerror(-number) if number > -200 else f"sanlock says {number}")
    try:
        return (state.value or b"").decode(errors="replace")
    finally:
        ctypes.CDLL(None).free(state)


def _library() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            missing = error
    raise missing
