import asyncio

import pytest

from ovis.node.privileged.devices import BLOCK, READ_LIMIT, ReadBlocks, read_blocks
from ovis.node.privileged.errors import Refused


@pytest.mark.parametrize(("offset", "size"), [(1, BLOCK), (-BLOCK, BLOCK), (0, 0), (0, 512), (0, READ_LIMIT + BLOCK)])
def test_only_whole_blocks_are_read(offset: int, size: int) -> None:
    with pytest.raises(Refused):
        asyncio.run(read_blocks(ReadBlocks(path="/dev/mapper/x", offset=offset, size=size), None))
