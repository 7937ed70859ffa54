"""The helpers beside the tests can be imported by their name, from the folders below as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
