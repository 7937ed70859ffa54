"""libvirt's settings in a virtual host: written anew, nothing is taken from the machine but its network filters."""

import shutil
from pathlib import Path

_LIBVIRTD = """\
host_uuid = "{host_uuid}"
auth_unix_ro = "none"
auth_unix_rw = "none"
# For migration, on the rig's own switch only.
listen_tcp = 1
listen_tls = 0
auth_tcp = "none"
max_clients = 200
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""

# A QEMU of its own user would need /dev/kvm to be that user's, or libvirt throws its knowledge of QEMU away and probes
# again at every call; and the rig's folders would have to be open to it.
_QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 1
remember_owner = 0
security_driver = "none"
namespaces = []
max_core = 0
migration_address = "0.0.0.0"
migration_host = "{address}"
"""

_SANLOCK = """\
auto_disk_leases = 0
require_lease_for_disks = 0
user = "root"
group = "root"
"""

_VIRTLOGD = """\
log_outputs = "2:file:/var/log/libvirt/virtlogd.log"
"""


def write(folder: Path, *, host_uuid: str, address: str, lock_manager: str = "") -> None:
    """Write the host's /etc/libvirt (folder/etc). `lock_manager`: who holds the leases of VMs (sanlock)."""
    etc = folder / "etc"
    (etc / "libvirtd.conf").write_text(_LIBVIRTD.format(host_uuid=host_uuid))
    manager = f'lock_manager = "{lock_manager}"\n' if lock_manager else ""
    (etc / "qemu.conf").write_text(_QEMU.format(address=address) + manager)
    (etc / "qemu-sanlock.conf").write_text(_SANLOCK)
    (etc / "virtlogd.conf").write_text(_VIRTLOGD)
    filters = Path("/etc/libvirt/nwfilter")
    if filters.is_dir():
        shutil.copytree(filters, etc / "nwfilter")
