import sys

from ovis.node.certificates.command import main

sys.exit(main())
