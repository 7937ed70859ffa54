import sys
from pathlib import Path

# The contract is shared with tests/real.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
