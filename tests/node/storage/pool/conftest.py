"""The helpers beside the tests, and those of all storage, can be imported by their name."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
