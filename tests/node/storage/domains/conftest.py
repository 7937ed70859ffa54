"""The reader and writer that share no code with us, and the helpers of all storage, can be imported by their name."""

import sys
from pathlib import Path

here = Path(__file__).parent
sys.path[:0] = [str(here), str(here.parent), str(here.parents[2] / "independent_reader")]
