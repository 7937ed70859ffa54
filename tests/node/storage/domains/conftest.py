"""The reader and writer that share no code with us can be imported by name, and so can the helpers beside tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "independent_reader"))
