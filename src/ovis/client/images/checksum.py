"""The checksum of a disk's content, as the image transfer daemon computes it.

    blake2b-256 over the blake2b-256 digests of all blocks, the last of which may be short

Blocks of zeros have one digest that is computed once, so that holes cost nothing. What the daemon does was found by
comparing its answers with this (ovirt-imageio 2.5.1; a test does so again).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ovis.client.images.image import Image

BLOCK = 4 << 20
BYTES = 32
AHEAD = 4


def checksum(image: Image, *, block: int = BLOCK, on_progress: Callable[[int], None] = lambda _: None) -> str:
    """In hexadecimal digits. Reads all data of the image. Raises ImageError, OSError."""
    whole = hashlib.blake2b(digest_size=BYTES)
    zeros = hashlib.blake2b(bytes(block), digest_size=BYTES).digest()
    io = image.open()
    pending: list[Future[bytes]] = []
    try:
        with ThreadPoolExecutor(2, thread_name_prefix="checksum") as pool:
            for start, length, is_zero in _blocks(image, block):
                if is_zero and length == block:
                    pending.append(_done(zeros))
                else:
                    data = bytearray(length)
                    if not is_zero:
                        io.read(start, memoryview(data))
                    pending.append(pool.submit(_digest, data))
                on_progress(length)
                if len(pending) > AHEAD:
                    whole.update(pending.pop(0).result())
            for digest in pending:
                whole.update(digest.result())
    finally:
        io.close()
    return whole.hexdigest()


def _digest(data: bytearray) -> bytes:
    return hashlib.blake2b(data, digest_size=BYTES).digest()


def _done(digest: bytes) -> Future[bytes]:
    future: Future[bytes] = Future()
    future.set_result(digest)
    return future


def _blocks(image: Image, block: int) -> Iterator[tuple[int, int, bool]]:
    """Start, length and whether it is all zeros, of each block; a block with any data is read as a whole."""
    extents = image.extents()
    extent = next(extents, None)
    for start in range(0, image.size, block):
        end = min(start + block, image.size)
        is_zero = True
        while extent is not None and extent.start < end:
            is_zero = is_zero and extent.is_zero
            if extent.end > end:
                break
            extent = next(extents, None)
        yield start, end - start, is_zero
