from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ovis.shell.api import node_schema
from ovis.shell.arguments import ArgumentReader
from ovis.shell.failures import Exit, Failure

A = "7a1bbd52-4f66-4f3c-9a5e-1f2f0a0f0001"


def read(method: str, *words: str) -> dict[str, Any]:
    reader = ArgumentReader(node_schema(), method)
    reader.read(words)
    return reader.arguments


def problem(method: str, *words: str) -> str:
    with pytest.raises(Failure) as caught:
        read(method, *words)
    assert caught.value.exit_code is Exit.USAGE
    return f"{caught.value.text}. {caught.value.hint}"


def test_numbers_truth_values_and_texts_follow_the_schema() -> None:
    got = read("Host.fenceNode", "addr=10", "port=623", "secure=yes", "action=reboot")
    assert got == {"addr": "10", "port": 623, "secure": True, "action": "reboot"}


def test_numbers_that_travel_as_text_become_text() -> None:
    got = read("VM.create", "vmParams.smp=4", "vmParams.kvmEnable=off", "vmParams.memSize=1GiB")
    assert got == {"vmParams": {"smp": "4", "kvmEnable": "false", "memSize": 1024}}


def test_names_may_be_snake_case_or_in_any_case() -> None:
    assert read("VM.create", f"vm_id={A}", "vmparams.mem_size=512") == {"vmID": A, "vmParams": {"memSize": 512}}


def test_lists_are_comma_separated_or_json() -> None:
    assert read("VM.delete_checkpoints", "checkpoint_ids=a,b") == {"checkpoint_ids": ["a", "b"]}
    assert read("VM.delete_checkpoints", 'checkpoint_ids=["a,b"]') == {"checkpoint_ids": ["a,b"]}
    assert read("Host.dumpxmls", "vmList=") == {"vmList": []}


def test_items_of_a_list_are_set_one_by_one() -> None:
    words = ("vmParams.devices.0.type=disk", "vmParams.devices.0.device=disk", "vmParams.devices.1.type=interface")
    got = read("VM.create", *words)["vmParams"]
    assert got == {"devices": [{"type": "disk", "device": "disk"}, {"type": "interface"}]}
    assert "an item from 0 to 0" in problem("VM.create", "vmParams.devices.3.type=disk")


def test_map_members_keep_their_key() -> None:
    assert read("VM.create", "vmParams.custom.a.b=c=d") == {"vmParams": {"custom": {"a.b": "c=d"}}}


def test_later_words_go_before_a_file(tmp_path: Path) -> None:
    template = tmp_path / "vm.json"
    template.write_text(json.dumps({"vmID": "a", "vmParams": {"smp": "1", "memSize": 256}}))
    assert read("VM.create", f"@{template}", "vmParams.smp=2", f"vmID={A}") == {
        "vmID": A,
        "vmParams": {"smp": "2", "memSize": 256},
    }


def test_yaml_files_are_read_by_their_name(tmp_path: Path) -> None:
    template = tmp_path / "vm.yaml"
    template.write_text("vmID: a\nvmParams: {memSize: 256}\n")
    assert read("VM.create", f"@{template}") == {"vmID": "a", "vmParams": {"memSize": 256}}


def test_a_text_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "vm.xml").write_text("<domain>\n</domain>\n")
    got = read("VM.create", f"vmParams.xml=@{tmp_path}/vm.xml")
    assert got == {"vmParams": {"xml": "<domain>\n</domain>"}}


def test_a_doubled_at_sign_is_a_text() -> None:
    assert read("Host.echo", "message=@@here") == {"message": "@here"}


@pytest.mark.parametrize(
    ("method", "word", "says"),
    [
        ("VM.destroy", "vmId", "is not name=value"),
        ("VM.destroy", "vmID=web", "vmID: is not a valid UUID ('web' was given)"),
        ("VM.destroy", "vmxID=1", "no parameter 'vmxID'. Did you mean vmID?"),
        ("VM.create", "vmParams.memSiz=1", "vmParams has no member 'memSiz'. Did you mean memSize or"),
        ("VM.create", "vmParams.memSize=12x", "vmParams.memSize: expected a size in MiB"),
        ("VM.create", "vmParams.memSize=1000B", "must be a whole number"),
        ("VM.create", "vmParams.memSize=-1", "must not be negative"),
        ("VM.create", "vmParams.kvmEnable=maybe", "vmParams.kvmEnable: expected true or false"),
        ("VM.create", "vmParams=x", "expected a JSON object"),
        ("VM.create", "vmParams={", "is not valid JSON"),
        ("VM.create", "vmParams=@/nowhere.json", "Cannot read /nowhere.json: No such file"),
        ("Host.fenceNode", "action=rebot", "Did you mean reboot?"),
        ("Host.fenceNode", "port=70000", "from 0 to 65535"),
        ("Host.echo", "message.x=1", "message has no members"),
        ("Host.ping2", "x=1", "It takes none"),
    ],
)
def test_mistakes_name_the_parameter_and_what_was_expected(method: str, word: str, says: str) -> None:
    assert says in problem(method, word)


def test_secrets_never_appear_in_messages_and_are_warned_about() -> None:
    warnings: list[str] = []
    reader = ArgumentReader(node_schema(), "Host.fenceNode", warnings.append)
    reader.read(["password=hunter2"])
    assert len(warnings) == 1
    assert "password=@-" in warnings[0]
    assert "hunter2" not in warnings[0]


def test_required_parameters_without_value_are_missing() -> None:
    reader = ArgumentReader(node_schema(), "VM.create")
    reader.read([f"vmID={A}"])
    assert list(reader.missing) == ["vmParams"]
