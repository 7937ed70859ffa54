"""What callers send becomes a server of its kind, or a refusal that names the field."""

from typing import Any

import msgspec
import pytest
from fake_host import FCP, GLUSTER, ISCSI, LOCAL, NFS, ONE, POSIX

from ovis.client.types import ConnectionRefParameters, StorageDomainTypeId
from ovis.node.storage.connections import kinds
from ovis.node.storage.connections.errors import WrongParameters
from ovis.node.storage.connections.fibre_channel import FibreChannel
from ovis.node.storage.connections.gluster import GlusterServer
from ovis.node.storage.connections.iscsi import IscsiTarget
from ovis.node.storage.connections.kinds import KINDS, AnyServer
from ovis.node.storage.connections.local import LocalFolder
from ovis.node.storage.connections.nfs import NfsServer
from ovis.node.storage.connections.posix import PosixServer
from ovis.node.storage.formats.errors import FormatError

IQN = "iqn.2024-01.test:t1"


def asked(kind: int, **given: Any) -> object:
    return kinds.kind(kind).asked(ConnectionRefParameters(id=ONE, **given))


def test_every_kind_of_the_api_is_there() -> None:
    assert set(KINDS) == set(StorageDomainTypeId) - {StorageDomainTypeId.UNKNOWN}


@pytest.mark.parametrize(
    ("kind", "given", "server"),
    [
        (NFS, {"connection": "nas:/vms"}, NfsServer("nas:/vms", ("vers=3",))),
        (NFS, {"connection": "nas:/vms//a/"}, NfsServer("nas:/vms/a", ("vers=3",))),
        (NFS, {"export": "[fe80::1]:/", "version": "4.1"}, NfsServer("[fe80::1]:/", ("vers=4.1",))),
        (NFS, {"connection": "nas:/v", "protocol_version": "V4_2"}, NfsServer("nas:/v", ("vers=4.2",))),
        (NFS, {"connection": "nas:/v", "protocol_version": "auto"}, NfsServer("nas:/v")),
        (
            NFS,
            {"connection": "nas:/v", "timeout_ds": 50, "retrans": 1, "mnt_options": "hard, nfsvers=4,sec=krb5"},
            NfsServer("nas:/v", ("nfsvers=4", "timeo=50", "retrans=1", "hard", "sec=krb5")),
        ),
        (LOCAL, {"connection": "/data//images/"}, LocalFolder("/data/images")),
        (LOCAL, {"path": "/data"}, LocalFolder("/data")),
        (POSIX, {"connection": "/dev//sdb1", "vfs_type": "ext4"}, PosixServer("/dev/sdb1", "ext4")),
        (
            POSIX,
            {"spec": "m1,m2:/", "vfstype": "ceph", "options": "name=a"},
            PosixServer("m1,m2:/", "ceph", ("name=a",)),
        ),
        (POSIX, {"connection": "//srv/share", "vfs_type": "cifs"}, PosixServer("//srv/share", "cifs")),
        (POSIX, {"connection": "g:/v", "vfs_type": "glusterfs"}, GlusterServer("g:/v")),
        (GLUSTER, {"connection": "g:v/", "vfs_type": "glusterfs"}, GlusterServer("g:v")),
        (FCP, {}, FibreChannel()),
        (ISCSI, {"connection": "10.0.0.1", "iqn": IQN}, IscsiTarget(IQN, "10.0.0.1")),
        (
            ISCSI,
            {"connection": "[fe80::1]", "iqn": IQN, "port": 3261, "tpgt": 2, "net_iface_name": "eth1"},
            IscsiTarget(IQN, "fe80::1", 3261, 2, "eth1", "eth1"),
        ),
    ],
)
def test_parameters_become_a_server(kind: int, given: dict[str, Any], server: AnyServer) -> None:
    assert asked(kind, **given) == server
    kept = server.kept()
    assert msgspec.json.decode(msgspec.json.encode(kept), type=AnyServer) == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (NFS, {}),
        (NFS, {"connection": "/no/server"}),
        (NFS, {"connection": "nas"}),
        (NFS, {"connection": "fe80::1:/v"}),
        (NFS, {"connection": "nas:/a/../b"}),
        (NFS, {"connection": "nas:/" + "x" * 300}),
        (NFS, {"connection": "nas:/v", "protocol_version": "2"}),
        (LOCAL, {"connection": "data"}),
        (LOCAL, {"connection": "/data/../etc"}),
        (POSIX, {"connection": "/dev/sdb1"}),
        (POSIX, {"vfs_type": "ext4"}),
        (GLUSTER, {"connection": "volume"}),
        (ISCSI, {"connection": "10.0.0.1"}),
        (ISCSI, {"iqn": IQN}),
    ],
)
def test_what_is_no_connection_is_refused(kind: int, given: dict[str, Any]) -> None:
    with pytest.raises((WrongParameters, FormatError)):
        asked(kind, **given)
