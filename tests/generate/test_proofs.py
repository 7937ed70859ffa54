"""What the scan of the tests on real guests finds, and that nothing answered is without a proof."""

from pathlib import Path

from ovis.generate import proofs, tasks
from ovis.node import coverage
from ovis.schema import Schema
from ovis.schema.model import Class, Verb
from ovis.schema.read import read_folder

VERB = Verb(doc="", since="4.0", access="observe", when=["always"], repeat="safe", deadline=1)
SCHEMA = Schema(classes={"VM": Class("", {"create": VERB, "migrateCancel": VERB, "pause": VERB, "cont": VERB})})
HELPER = """
class Pair:
    def cancel(self):
        self.client().vm.migrate_cancel(self.id)
"""
TEST = """
import pytest

@pytest.fixture
def guest(node):
    node.vm.create("id")

def test_direct(node):
    node.vm.pause("id")

def test_by_fixture_and_helper(guest):
    guest.cancel()

def unused(node):
    node.vm.cont("id")
"""


def test_calls_are_found_in_tests_fixtures_and_helpers_only(tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(HELPER)
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / proofs.NEEDS).write_text("VM.cont: a thing\n")
    found = proofs.read(tmp_path, SCHEMA)
    assert {verb: [test.name for test in tests] for verb, tests in found.tests.items()} == {
        "VM.create": ["test_by_fixture_and_helper"],
        "VM.migrateCancel": ["test_by_fixture_and_helper"],
        "VM.pause": ["test_direct"],
    }
    assert found.needs == {"VM.cont": "a thing"}


def test_every_answered_verb_of_vms_is_proved_or_says_what_it_needs() -> None:
    schema = read_folder(tasks.API_FOLDER)
    found = proofs.read(tasks.TESTS_FOLDER, schema)
    answered = {verb for verb in coverage.built() if verb.startswith("VM.")}
    assert answered - set(found.tests) == {verb for verb in found.needs if verb.startswith("VM.")}
