"""The helpers beside the tests can be imported by their name; the independent reader is one of them."""

import sys
from pathlib import Path

here = Path(__file__).parent
sys.path[:0] = [str(here), str(here.parents[2] / "independent_reader")]
