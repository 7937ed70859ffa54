"""pytest inside the bed: runs the tests that are named on its command line and tells outside how each went.

Its standard output carries one JSON object a line:

    {"started": NODEID}   {"report": {...}}   {"finished": NODEID}

and what pytest prints goes to standard error.
"""

import json
import os
import sys
from typing import IO, Any

import pytest

_OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-o", "tmp_path_retention_policy=failed")


class Reporter:
    """A pytest plugin."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._say(started=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        assert self._config is not None
        self._say(report=self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._say(uncollected=report.nodeid, why=str(report.longrepr))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._say(finished=nodeid)

    def _say(self, **message: Any) -> None:
        self._out.write(json.dumps(message, default=str) + "\n")
        self._out.flush()


def main(arguments: list[str]) -> int:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)
        return int(pytest.main([*_OPTIONS, *arguments], plugins=[Reporter(out)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
