"""NFS exports, mounted at mnt/<server:_path>.

`soft`: a dead server gives errors after timeo x retrans, it does not hang the host for ever. `nosharecache`: two
exports of one server do not share a transport, so that one that hangs leaves the other alone.
"""

from __future__ import annotations

import re

from ovis.client.types import ConnectionRefParameters
from ovis.node.storage.connections.errors import WrongParameters
from ovis.node.storage.connections.interface import Tools
from ovis.node.storage.connections.mounting import MountedServer, Place
from ovis.node.storage.connections.parameters import merged, needed, options, remote_path
from ovis.node.storage.formats.repository import mount_name

DEFAULTS = ("soft", "nosharecache", "timeo=100", "retrans=3")
_VERSION = re.compile(r"3|4(\.[0-2])?")
# "V4.1" and the like come from the enum names of older clients
_NAMES = {"": "3", "v3": "3", "v4": "4", "v4_0": "4.0", "v4_1": "4.1", "v4_2": "4.2"}


class NfsServer(MountedServer, frozen=True, tag_field="kind", tag="nfs"):
    """`options`: what this connection asks for, beside the node's own."""

    export: str
    options: tuple[str, ...] = ()

    @classmethod
    def asked(cls, given: ConnectionRefParameters) -> NfsServer:
        export = remote_path(needed("connection", given.connection, given.export))
        mount_name(export)
        own = list(_version(given.protocol_version or given.version or ""))
        if given.timeout_ds is not None:
            own.append(f"timeo={given.timeout_ds}")
        if given.retrans is not None:
            own.append(f"retrans={given.retrans}")
        return cls(export, merged(tuple(own), options(given.mnt_options or given.options)))

    @property
    def name(self) -> str:
        return f"nfs {self.export}"

    def place(self, tools: Tools) -> Place:
        target = tools.repository.mount(self.export)
        return Place(self.export, target, "nfs", merged(DEFAULTS, tools.nfs_options, self.options))


def _version(text: str) -> tuple[str, ...]:
    plain = _NAMES.get(text.lower(), text)
    if plain == "auto":
        return ()
    if not _VERSION.fullmatch(plain):
        raise WrongParameters("protocol_version", f"{text!r} is no version of NFS")
    return (f"vers={plain}",)
