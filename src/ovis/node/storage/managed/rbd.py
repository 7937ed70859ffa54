"""An image of Ceph, mapped by the kernel.

data: {"name": "pool/image", "hosts": [...], "ports": [...], "auth_username": ..., "keyring": ..., "access_mode": ...}.
Without a keyring, the host's own for that user is used.
"""

from __future__ import annotations

from msgspec import Struct

from ovis.node.errors import BadParameter
from ovis.node.privileged.protocol import Secret
from ovis.node.privileged.rbd import MapRbd, RbdImage, UnmapRbd
from ovis.node.storage.managed.driver import READ_ONLY, Attachment, Connection, Tools, parsed
from ovis.node.storage.managed.errors import DriverFailed, NotSupported

KIND = "rbd"


class _Data(Struct, frozen=True):
    name: str
    hosts: list[str]
    ports: list[int] = []
    auth_username: str | None = None
    keyring: str | None = None
    access_mode: str = "rw"

    @property
    def image(self) -> RbdImage:
        match self.name.split("/"):
            case [pool, name]:
                return RbdImage(pool, name)
            case [pool, namespace, name]:
                return RbdImage(pool, name, namespace)
        raise BadParameter("connection_info.data.name", "it must be pool/image or pool/namespace/image")

    @property
    def monitors(self) -> list[str]:
        hosts = [f"[{host}]" if ":" in host and not host.startswith("[") else host for host in self.hosts]
        if not self.ports:
            return hosts
        if len(self.ports) != len(hosts):
            raise BadParameter("connection_info.data.ports", "there must be one for each host")
        return [f"{host}:{port}" for host, port in zip(hosts, self.ports, strict=True)]


class RbdDriver:
    def check(self, connection: Connection) -> None:
        data = parsed(connection.data, _Data)
        _ = data.image, data.monitors

    async def attach(self, volume: str, connection: Connection, tools: Tools) -> Attachment:
        data = parsed(connection.data, _Data)
        request = MapRbd(
            image=data.image,
            monitors=data.monitors,
            user=data.auth_username or "admin",
            keyring=Secret(data.keyring) if data.keyring else None,
            is_read_only=data.access_mode == READ_ONLY,
        )
        try:
            mapped = await tools.root.call(request)
        except FileNotFoundError as error:
            if error.filename != "rbd":
                raise
            raise NotSupported(KIND, "the program rbd is not installed (Debian: ceph-common)") from error
        if not mapped.ok:
            raise DriverFailed(f"mapping the image {data.image} of Ceph", mapped.complaint)
        return Attachment(mapped.output.decode())

    async def detach(self, volume: str, connection: Connection, attachment: Attachment | None, tools: Tools) -> None:
        image = parsed(connection.data, _Data).image
        try:
            unmapped = await tools.root.call(UnmapRbd(image=image))
        except FileNotFoundError as error:
            raise NotSupported(KIND, "the program rbd, which would unmap it, is not installed any more") from error
        if not unmapped.ok:
            raise DriverFailed(f"unmapping the image {image} of Ceph, which stays,", unmapped.complaint)
