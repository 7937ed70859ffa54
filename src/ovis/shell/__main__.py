"""`python -m ovis.shell`."""

from ovis.shell.main import main

raise SystemExit(main())
