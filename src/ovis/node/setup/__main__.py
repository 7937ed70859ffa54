import sys

from ovis.node.setup.command import main

sys.exit(main())
