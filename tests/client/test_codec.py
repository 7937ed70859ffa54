"""Every generated type survives the way over the wire, in the form the schema says and in the forms old peers send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ovis.client import codec, types, verbs
from ovis.schema import expressions

from .typed_values import TypedValues, load_schema

SCHEMA = load_schema()
VALUES = TypedValues(SCHEMA)
OBJECTS = [name for name, declared in SCHEMA.types.items() if declared.kind == "object"]


def reached(method: str) -> set[str]:
    """Names of all types that the arguments of a verb hold, at any depth."""
    found: set[str] = set()
    waiting = list(expressions.of_fields(SCHEMA.verbs[method].params))
    while waiting:
        for name in expressions.names(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting += expressions.of_type(SCHEMA.types[name]) if name in SCHEMA.types else []
    return found


few = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_survive_the_wire(name: str) -> None:
    @few
    @given(VALUES.of_object(name))
    def survives(value: Any) -> None:
        assert codec.decode_value(getattr(types, name), codec.encode_value(value)) == value

    survives()


@pytest.mark.parametrize("method", verbs.ARGUMENTS)
def test_arguments_survive_the_wire(method: str) -> None:
    @few
    @given(VALUES.arguments(method))
    def survives(value: Any) -> None:
        assert codec.decode_arguments(method, codec.encode_arguments(value)) == value

    survives()


@pytest.mark.parametrize("method", verbs.RESULTS)
def test_results_survive_the_wire(method: str) -> None:
    @few
    @given(VALUES.result(method))
    def survives(value: Any) -> None:
        assert codec.decode_result(method, codec.encode_result(method, value)) == value

    survives()


ID = "11111111-2222-3333-4444-555555555555"


def read(cls: type[Any], **members: Any) -> Any:
    return codec.decode_value(cls, json.dumps(members).encode())


def test_numbers_travel_as_text_and_sizes_in_the_unit_of_the_wire() -> None:
    balloon = types.BalloonInfo(balloon_cur=1 << 20, balloon_max=1 << 21, ballooning_enabled=True)
    travels = json.loads(codec.encode_value(balloon))
    assert travels == {"balloon_cur": "1024", "balloon_max": "2048", "ballooning_enabled": True}


@pytest.mark.parametrize("given", ["1024", 1024, 1024.0, "1024.0"])
def test_a_number_is_read_from_text_and_text_forms_from_numbers(given: object) -> None:
    assert read(types.BalloonInfo, balloon_cur=given, ballooning_enabled="true").balloon_cur == 1 << 20


@pytest.mark.parametrize("given", [True, "true", "True", "1", 1])
def test_a_truth_value_is_read_from_what_peers_send(given: object) -> None:
    assert read(types.BalloonInfo, ballooning_enabled=given).ballooning_enabled is True


def test_floats_travel_with_two_decimals() -> None:
    nic = types.CpuCoreStats(cpu_idle_percent=99.5, cpu_sys_percent=0.125, cpu_user_percent=1.0, node_index=0)
    assert json.loads(codec.encode_value(nic))["cpuIdle"] == "99.50"


@pytest.mark.parametrize("nothing", ["", None])
def test_an_optional_number_that_says_nothing_is_absent(nothing: object) -> None:
    balloon = read(types.BalloonInfo, balloon_cur=nothing, balloon_max="2048", ballooning_enabled=True)
    assert (balloon.balloon_cur, balloon.balloon_max) == (None, 1 << 21)


@pytest.mark.parametrize("nothing", ["", None])
def test_an_optional_id_or_choice_that_says_nothing_is_absent(nothing: object) -> None:
    scratch = read(types.FileScratchDisk, path="/x", type="file", domainID=nothing)
    assert scratch.domain_id is None


def test_a_member_with_a_default_gets_it_when_null() -> None:
    arguments = codec.decode_arguments("Host.getVMList", b'{"fullStatus": null, "vmList": null, "onlyUUID": ""}')
    assert arguments == verbs.HostGetVMListArgs()


def test_absence_is_found_at_any_depth() -> None:
    device = {"deviceType": "disk", "device": "disk", "bootOrder": "", "readonly": None, "index": ""}
    arguments = {"vmID": ID, "vmParams": {"memSize": "512", "smp": "", "devices": [device]}}
    decoded = codec.decode_arguments("VM.create", json.dumps(arguments).encode())
    assert decoded.vm_params.mem_size == 512 << 20
    assert decoded.vm_params.smp == types.VmParameters(mem_size=0).smp
    [disk] = decoded.vm_params.devices
    assert isinstance(disk, types.VmDiskDevice)
    assert (disk.boot_order, disk.index) == (None, None)


def test_an_empty_text_stays_where_a_text_is_meant() -> None:
    assert read(types.DriveSpecPath, path="").path == ""
    assert read(types.VmDefinition, vmId=ID, vmName="", smp="").vm_name == ""


def test_what_is_needed_may_not_be_null() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `null` - at `\$.vmId`"):
        read(types.VmDefinition, vmId=None)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "missing required field `vmID`"),
        ({"vmID": ID, "extra": 1}, "unknown field `extra`"),
        ({"vmID": "no"}, r"matching regex .* - at `\$.vmID`"),
        ({"vmID": 7}, r"Expected `str`, got `int` - at `\$.vmID`"),
    ],
)
def test_a_refusal_names_the_field_as_it_travels(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        codec.decode_arguments("VM.getStats", json.dumps(arguments).encode())


def test_a_refusal_names_the_field_at_depth() -> None:
    arguments = {"vmID": ID, "vmParams": {"memSize": "much"}}
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int . null`, got `str` - at `\$.vmParams.memSize`"):
        codec.decode_arguments("VM.create", json.dumps(arguments).encode())


def test_a_verb_without_result_reads_as_none() -> None:
    assert codec.decode_result("VM.pause", codec.STATUS_DONE) is None


def test_an_enum_value_of_a_newer_agent_is_read_and_sent_on_as_it_is() -> None:
    short = read(types.VmShortStatus, vmId=ID, status="Teleporting", statusTime="1")
    assert short.status == "Teleporting"
    assert short.status not in list(types.VmStatus)
    assert json.loads(codec.encode_value(short))["status"] == "Teleporting"


def test_a_newer_enum_value_does_not_mislead_the_choice_of_a_union_member() -> None:
    entry = {"vmId": ID, "status": "Teleporting", "exitCode": 0, "exitMessage": "", "exitReason": 7, "timeOffset": ""}
    [stats] = codec.decode_result("VM.getStats", json.dumps([entry]).encode())
    assert isinstance(stats, types.ExitedVmStats)
    assert stats.time_offset == 0


def test_arguments_take_no_value_that_nobody_declared() -> None:
    arguments = {"vmID": ID, "vmParams": {"vmType": "teapot"}}
    with pytest.raises(msgspec.ValidationError, match=r"Invalid enum value 'teapot' - at `\$.vmParams.vmType`"):
        codec.decode_arguments("VM.create", json.dumps(arguments).encode())


def as_text(value: Any) -> Any:
    """Numbers and truth values as old clients send them."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, bool):
        return str(value)
    return repr(value) if isinstance(value, (int, float)) else value


FREE_FORM = {"json", "VmSharedDriveType"}
"""Where a text is as good as a number, so that sending the text means something else."""


@pytest.mark.parametrize("method", [m for m in verbs.ARGUMENTS if not FREE_FORM & reached(m)])
def test_arguments_may_hold_every_number_and_truth_value_as_text(method: str) -> None:
    @few
    @given(VALUES.arguments(method))
    def is_read(value: Any) -> None:
        travels = as_text(json.loads(codec.encode_arguments(value)))
        assert codec.decode_arguments(method, json.dumps(travels).encode()) == value

    is_read()


@pytest.mark.parametrize("method", verbs.ARGUMENTS)
def test_arguments_may_hold_null_for_everything_optional(method: str) -> None:
    @few
    @given(VALUES.arguments(method))
    def is_read(value: Any) -> None:
        optional = [name for name, spec in SCHEMA.verbs[method].params.items() if spec.optional]
        travels = {**dict.fromkeys(optional), **json.loads(codec.encode_arguments(value))}
        assert codec.decode_arguments(method, json.dumps(travels).encode()) == value

    is_read()


def test_empty_fields_of_a_storage_connection_are_absent() -> None:
    """Existing engines send every key of every kind of storage, unused ones empty."""
    idle = {"iqn": "", "port": "", "user": "", "password": "", "tpgt": "1", "portal": "", "timeout": "", "id": ""}
    sent = {"connection": "h:/x", "protocol_version": "4", "mnt_options": "", **idle}
    read = codec.decode_value(types.ConnectionRefParameters, json.dumps(sent).encode())
    assert (read.connection, read.protocol_version, read.tpgt) == ("h:/x", "4", 1)
    assert (read.port, read.timeout_ds, read.id) == (None, None, None)
