from __future__ import annotations

import pytest

from ovis.schema import naming
from ovis.schema.model import Field
from ovis.schema.units import UNITS


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        ("vmId", "vm_id"),
        ("sdUUID", "sd_uuid"),
        ("HBAInventory", "hba_inventory"),
        ("supportedENGINEs", "supported_engines"),
        ("guestIPs", "guest_ips"),
        ("vmIDs", "vm_ids"),
        ("_X_tpmdata", "x_tpmdata"),
        ("from", "from_"),
        ("already_snake", "already_snake"),
        ("with-dash", "with_dash"),
    ],
)
def test_wire_names_become_python_names(wire: str, python: str) -> None:
    assert naming.snake(wire) == python


def test_a_unit_other_than_bytes_and_seconds_is_in_the_name() -> None:
    def named(name: str, unit: str) -> str:
        return naming.attribute(name, Field(type="int", doc="", unit=unit))

    assert named("downtime", "ms") == "downtime_ms"
    assert named("usagePercent", "percent") == "usage_percent"
    assert named("memSize", "bytes") == "mem_size"
    assert named("from", "ms") == "from_ms"


def test_every_unit_of_size_or_time_has_a_suffix() -> None:
    plain = {"bytes", "s", "count", "pixels", "requests/s", "faults/s"}
    assert UNITS.keys() - plain == naming.UNIT_SUFFIXES.keys()


@pytest.mark.parametrize(
    ("value", "constant"),
    [
        ("Powering up", "POWERING_UP"),
        ("0.10", "V0_10"),
        ("", "EMPTY"),
        ("none", "NONE_"),
        ("virtio-scsi", "VIRTIO_SCSI"),
    ],
)
def test_enum_values_become_constants(value: str, constant: str) -> None:
    assert naming.constant(value) == constant


def test_arguments_have_a_class_per_verb() -> None:
    assert naming.arguments_class("VM.getStats") == "VMGetStatsArgs"
    assert naming.arguments_class("Host.add_image_ticket") == "HostAddImageTicketArgs"
