import sys

from ovis.node.privileged.main import main

sys.exit(main())
