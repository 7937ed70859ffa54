"""Fibre Channel: units are there without a connection; connecting looks for new ones."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from ovis.client.types import ConnectionRefParameters
from ovis.node.privileged.devices import RescanHosts
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.devices.rescan import fibre_channel_hosts


class FibreChannel(Struct, frozen=True, tag_field="kind", tag="fibre channel"):
    brings_devices: ClassVar[bool] = True

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> FibreChannel:
        return cls()

    @property
    def name(self) -> str:
        return "fibre channel"

    async def connect(self, tools: Tools) -> None:
        hosts = fibre_channel_hosts(tools.sysfs)
        if hosts:
            (await tools.root.call(RescanHosts(hosts=hosts))).check("looking for units on Fibre Channel")

    async def disconnect(self, tools: Tools) -> None:
        """Nothing to do."""

    def is_connected(self, tools: Tools) -> bool:
        return True

    def kept(self) -> FibreChannel:
        return self
