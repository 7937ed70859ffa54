"""libvirt does with disks what the simulated hypervisor does."""

from contextlib import AbstractAsyncContextManager

import pytest

from deploy.rig.virtual_host import VirtualHost
from ovis.node.hypervisor.interface import Hypervisor
from ovis.node.hypervisor.libvirt_driver import connect
from tests.node.hypervisor.disk_contract import DiskContract


class TestLibvirtDisks(DiskContract):
    @pytest.fixture(autouse=True)
    def _uri(self, vhost: VirtualHost) -> None:
        self.uri = vhost.libvirt_uri

    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        return connect(self.uri)
