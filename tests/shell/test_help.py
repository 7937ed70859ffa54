from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest

from ovis.schema.model import Class, Error, Field, Schema, Type, Verb
from ovis.shell.api import node_schema
from ovis.shell.failures import MEANINGS
from ovis.shell.help_text import write_verb

FIELDS = {
    "size": Field(type="uint", doc="How large it is. More words.", unit="bytes", wire="MiB"),
    "tags": Field(type=["string"], doc="Words to find it by.", optional=True),
}
VERB = Verb(
    doc="Makes a thing and waits for it.",
    since="1.0",
    access="operate",
    when=["ready"],
    repeat="refused",
    deadline=30,
    params={
        "id": Field(type="string", doc="Which one."),
        "thing": Field(type="Thing", doc="What it shall be."),
        "force": Field(type="boolean", doc="Whether to insist.", optional=True, default=False),
    },
    result=Field(type={"map": ["string", "Thing"]}, doc="What was made."),
    errors=["NoThing"],
)
SCHEMA = Schema(
    classes={"Box": Class(doc="A box.", verbs={"make": VERB})},
    types={"Thing": Type(kind="object", doc="A thing.", fields=FIELDS)},
    errors={7: Error(name="NoThing", doc="There is no thing. Look elsewhere.")},
)
GOLDEN = """\
  Makes a thing and waits for it.

Parameters:
  id     Which one. [text, required]
  thing  What it shall be. [Thing, required]
  force  Whether to insist. [true or false, default false]

  Members, as thing.member=value (* needed):
    size*  How large it is [size in MiB]
    tags   Words to find it by [list of text]

Result:
  map of Thing by text: What was made.

Call:
  access    operate: changes the run state of a VM or acts inside its guest
  when      the agent has recovered its state after a start
  repeat    a second call answers an error and changes nothing
  deadline  30 s
  since     1.0

Errors:
  NoThing (7)  There is no thing. Look elsewhere.
"""


def test_the_help_of_a_verb_tells_all_that_the_schema_knows() -> None:
    formatter = click.HelpFormatter(width=80)
    write_verb(SCHEMA, "Box.make", VERB, formatter)
    assert formatter.getvalue() == GOLDEN


def test_every_verb_has_help_without_a_connection(run: Any) -> None:
    for method, verb in node_schema().verbs.items():
        ended = run("node", *method.split("."), "--help")
        assert ended.code == 0, method
        assert all(name in ended.out for name in verb.params), method


def test_classes_and_verbs_are_listed(run: Any) -> None:
    node = run("node", "--help").out
    assert all(name in node for name in node_schema().classes)
    host = run("node", "Host", "--help").out
    assert all(name in host for name in node_schema().classes["Host"].verbs)
    assert max(map(len, host.splitlines())) <= 80


def test_a_class_alone_lists_its_verbs(run: Any) -> None:
    """On stdout, to be paged; but a script whose verb is empty must notice."""
    ended = run("node", "Host")
    assert "ping2" in ended.out
    assert ended.code == 2


def test_exit_codes_are_in_the_help(run: Any) -> None:
    out = run("--help").out
    assert all(f"{int(code)}" in out and meaning in out for code, meaning in MEANINGS.items())


@pytest.mark.parametrize("command", [["ovis.shell"], ["ovis.shell.main"]])
def test_version(run: Any, command: list[str]) -> None:
    if command == ["ovis.shell"]:
        out = subprocess.run(
            [sys.executable, "-m", "ovis.shell", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    else:
        out = run("--version").out
    assert out.startswith("ovis 0.")
