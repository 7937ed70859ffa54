"""The helpers beside the tests of volumes can be imported by their name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "volumes"))
