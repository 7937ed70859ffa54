"""Fibre Channel adapters and the iSCSI initiator. Source: Documentation/scsi/scsi_fc_transport.rst, iscsid.conf."""

from __future__ import annotations

from ovis.client.types import FcHba, HbaInventory, IscsiHba
from ovis.node.host.kernel_files import KernelFiles

_FC = "sys/class/fc_host"


def read(files: KernelFiles) -> HbaInventory:
    initiator = iscsi_initiator(files)
    return HbaInventory(
        fc=[_fc(files, host) for host in files.names(_FC)],
        i_scsi=[IscsiHba(initiator_name=initiator)] if initiator else [],
    )


def iscsi_initiator(files: KernelFiles) -> str:
    """Empty when iSCSI is not set up (or its file is not ours to read)."""
    for line in (files.text("etc/iscsi/initiatorname.iscsi") or "").splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() == "InitiatorName":
            return value.strip()
    return ""


def _fc(files: KernelFiles, host: str) -> FcHba:
    scsi = f"sys/class/scsi_host/{host}"
    words = (files.text(f"{scsi}/{name}") for name in ("model_name", "modelname", "model_desc", "modeldesc"))
    return FcHba(
        model=" - ".join(filter(None, words)) or None,  # the two big drivers spell the names differently
        wwnn=(files.text(f"{_FC}/{host}/node_name") or "").removeprefix("0x"),
        wwpn=(files.text(f"{_FC}/{host}/port_name") or "").removeprefix("0x"),
    )
