"""Trees of kernel files, each in one text file: a description, then `== path` before each content.

`== path -> target` is a link.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ovis.node.host.kernel_files import KernelFiles

_TREES = Path(__file__).parent / "trees"


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], KernelFiles]:
    """`tree("two-sockets")`: that tree unpacked, to be changed at will."""

    def unpack(name: str) -> KernelFiles:
        root = tmp_path / name
        for entry in (_TREES / f"{name}.txt").read_text().split("\n== ")[1:]:
            head, _, content = entry.partition("\n")
            path, _, target = head.partition(" -> ")
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if target:
                file.symlink_to(target)
            else:
                file.write_text(content + "\n")
        return KernelFiles(root)

    return unpack
