"""An ovis-io process. Started by its path and without `site`, which saves half of its start; see process.py."""

import sys

if __name__ == "__main__":
    if not __package__:
        sys.path.insert(0, __file__.removesuffix("/ovis/node/storage/io/__main__.py"))
    from ovis.node.storage.io.serve import main

    main(sys.argv[1:])
