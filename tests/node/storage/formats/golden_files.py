"""Files written by hand from the facts, seals by sha1sum, the archive by GNU tar.

A .hex file is bytes as hex digits; 00*12 repeats, # begins a comment.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "golden"

DOMAIN = "5a1b8c70-13d2-4a0e-9c67-2f0c3b7d9e11"
BLOCK_DOMAIN = "9d8c7b6a-5f4e-4d3c-b2a1-0f1e2d3c4b5a"
POOL = "0f6c2b1e-7d4a-4b58-8f3e-6a9d5c1b2e30"
IMAGE = "c2a1f0e9-8b7d-4c6e-a5f4-d3e2c1b0a9f8"
VOLUME = "7e6d5c4b-3a29-4817-8695-a4b3c2d1e0ff"
VM = "3f2a1b0c-9d8e-4f7a-8b6c-5d4e3f2a1b0c"


def golden(name: str) -> bytes:
    data = (FOLDER / name).read_bytes()
    return data if not name.endswith(".hex") else _bytes(data.decode())


def golden_lines(name: str) -> list[str]:
    return golden(name).decode().splitlines()


def _bytes(text: str) -> bytes:
    data = b""
    for word in " ".join(line.partition("#")[0] for line in text.splitlines()).split():
        digits, _, times = word.partition("*")
        data += bytes.fromhex(digits) * int(times or 1)
    return data
