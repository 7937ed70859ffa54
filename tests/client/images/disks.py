"""Small disks with data, zeros that are stored and holes, for tests of copying."""

import random
from pathlib import Path

MIB = 1 << 20
SIZE = 40 * MIB + 512


def content() -> bytearray:
    """Data at the start, over the border of two pieces, and at the very end."""
    chance = random.Random(7)
    data = bytearray(SIZE)
    for start, length in ((0, 3 * MIB), (7 * MIB, 3 * MIB), (20 * MIB, 4096), (SIZE - 700, 700)):
        data[start : start + length] = chance.randbytes(length)
    return data


def sparse_file(path: Path) -> Path:
    """Holes where nothing is, but for some zeros that are stored."""
    data = content()
    with path.open("wb") as file:
        file.truncate(SIZE)
        for start in range(0, SIZE, 64 << 10):
            piece = data[start : start + (64 << 10)]
            if any(piece) or 30 * MIB <= start < 31 * MIB:
                file.seek(start)
                file.write(piece)
    return path
