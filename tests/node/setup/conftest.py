import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from setup_tree import Tree, make_tree, tree_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "root")


@pytest.fixture
def tree(root: Path) -> Tree:
    return tree_of(root)
