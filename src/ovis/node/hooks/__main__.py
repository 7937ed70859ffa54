import sys

from ovis.node.hooks.command import main

sys.exit(main())
