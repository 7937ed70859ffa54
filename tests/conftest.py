from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deploy.image_daemon.daemon import ImageDaemon

_WITHOUT_HYPOTHESIS = ("tests/real", "tests/bed")


def pytest_configure(config: pytest.Config) -> None:
    # Only where it may be used: each of the other files has a pytest of its own, and half of them in a bed, where
    # hypothesis takes half a second to import.
    if not config.args or not all(argument.startswith(_WITHOUT_HYPOTHESIS) for argument in config.args):
        from hypothesis import HealthCheck, settings

        # A slow or busy machine is no fault of what is tested: pytest's own time limit ends what hangs.
        settings.register_profile("ovis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("ovis")


@pytest.fixture(scope="session")
def image_daemon() -> "Iterator[ImageDaemon]":
    """A real image transfer daemon, one for all tests of a worker."""
    from deploy.image_daemon import daemon  # as above: few need it
    from deploy.image_daemon.install import is_installed
    from ovis.wire import certificates

    if not is_installed():
        pytest.skip("ovirt-imageio is not in build/image-daemon: make setup installs it")
    with TemporaryDirectory(prefix="transfers-") as name:
        folder = Path(name)
        certificates.ensure(folder / "pki", names=[])
        with daemon.image_daemon(folder / "daemon", folder / "pki") as running:
            yield running
