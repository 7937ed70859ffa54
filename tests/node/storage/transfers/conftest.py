"""A real image transfer daemon, one for all tests of a worker."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from deploy.image_daemon.daemon import ImageDaemon, image_daemon
from deploy.image_daemon.install import is_installed
from ovis.wire import certificates


@pytest.fixture(scope="session")
def daemon() -> Iterator[ImageDaemon]:
    if not is_installed():
        pytest.skip("ovirt-imageio is not in build/image-daemon: make setup installs it")
    with TemporaryDirectory(prefix="transfers-") as name:
        folder = Path(name)
        certificates.ensure(folder / "pki", names=[])
        with image_daemon(folder / "daemon", folder / "pki") as running:
            yield running
