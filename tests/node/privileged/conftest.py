import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ovis.node.privileged import commands


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A folder for programs that the helper of this process and its children find first."""
    import programs as made

    before = commands.ENVIRONMENT["PATH"]
    folder = tmp_path / "programs"
    folder.mkdir()
    made.use(folder)
    yield folder
    commands.ENVIRONMENT["PATH"] = before
