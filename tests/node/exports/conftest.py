"""The helpers beside the tests of imports can be imported by their name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "imports"))
