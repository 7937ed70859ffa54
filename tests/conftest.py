import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from deploy.image_daemon import daemon
from deploy.image_daemon.install import is_installed
from ovis.wire import certificates

# A slow or busy machine is no fault of what is tested: pytest's own time limit ends what hangs.
settings.register_profile("ovis", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ovis")

# A shell starts background commands with Control-C ignored, and what they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def image_daemon() -> Iterator[daemon.ImageDaemon]:
    """A real image transfer daemon, one for all tests of a worker."""
    if not is_installed():
        pytest.skip("ovirt-imageio is not in build/image-daemon: make setup installs it")
    with TemporaryDirectory(prefix="transfers-") as name:
        folder = Path(name)
        certificates.ensure(folder / "pki", names=[])
        with daemon.image_daemon(folder / "daemon", folder / "pki") as running:
            yield running
