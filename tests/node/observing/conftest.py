"""The simulated host beside the tests of VMs can be imported by its name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "vm"))
