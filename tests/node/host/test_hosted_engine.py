"""The client program runs as on a host; the library of the service is a stand-in that keeps its state in a file."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from ovis.client.types import HaMaintenanceMode
from ovis.node.host import hosted_engine_client
from ovis.node.host.capabilities import is_hosted_engine_deployed
from ovis.node.host.hosted_engine import HostedEngine, MaintenanceFailed, NoHostedEngine
from ovis.node.host.kernel_files import KernelFiles

LIBRARY = """\
import json, pathlib
FILE = pathlib.Path(__file__).with_name("state.json")
class HAClient:
    def get_local_host_id(self): return 2
    def get_all_stats(self):
        print("a word of the library")
        return {int(key): value for key, value in json.loads(FILE.read_text()).items()}
    def set_maintenance_mode(self, mode, value):
        known = json.loads(FILE.read_text())
        known["0" if mode == "GLOBAL" else "2"]["maintenance"] = value
        FILE.write_text(json.dumps(known))
"""
STATE = '{"0": {"maintenance": true}, "1": {"score": 1000}, "2": {"live-data": true, "score": 3400}}'


@pytest.fixture
def engine(tmp_path: Path) -> HostedEngine:
    package = tmp_path / "ovirt_hosted_engine_ha/client"
    package.mkdir(parents=True)
    (package / "client.py").write_text(LIBRARY)
    (package / "state.json").write_text(STATE)
    return HostedEngine(program(tmp_path))


def program(folder: Path) -> tuple[str, ...]:
    return ("env", f"PYTHONPATH={folder}", sys.executable, hosted_engine_client.__file__)


def state(tmp_path: Path) -> Path:
    return tmp_path / "ovirt_hosted_engine_ha/client/state.json"


def test_the_service_is_asked_for_this_host(engine: HostedEngine) -> None:
    asyncio.run(engine.refresh())
    found = engine.status
    assert (found.configured, found.active, found.score) == (True, True, 3400)
    assert (found.global_maintenance, found.local_maintenance) == (True, False)


def test_maintenance_is_seen_at_once(engine: HostedEngine) -> None:
    async def main() -> None:
        for _ in range(2):
            await engine.set_maintenance(HaMaintenanceMode.LOCAL, enabled=True)
        assert engine.status.local_maintenance
        await engine.set_maintenance(HaMaintenanceMode.GLOBAL, enabled=False)
        assert not engine.status.global_maintenance

    asyncio.run(main())


def test_a_service_that_does_not_answer_is_told_once(
    engine: HostedEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        await engine.refresh()
        state(tmp_path).write_text("{")
        for _ in range(2):
            await engine.refresh()
        assert engine.status.configured
        assert not engine.status.active
        with pytest.raises(MaintenanceFailed):
            await engine.set_maintenance(HaMaintenanceMode.GLOBAL, enabled=False)
        state(tmp_path).write_text(STATE)
        await engine.refresh()

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
    assert engine.status.active
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_without_its_library_there_is_no_hosted_engine(tmp_path: Path) -> None:
    engine = HostedEngine(program(tmp_path))
    with pytest.raises(NoHostedEngine):
        asyncio.run(engine.set_maintenance(HaMaintenanceMode.GLOBAL, enabled=True))


def test_a_service_that_hangs_is_given_up(tmp_path: Path) -> None:
    engine = HostedEngine(("sh", "-c", "sleep 600"), seconds=0.3)
    asyncio.run(engine.refresh())
    assert not engine.status.active


def test_a_host_is_deployed_by_its_file(tmp_path: Path) -> None:
    files = KernelFiles(tmp_path)
    assert not is_hosted_engine_deployed(files)
    (tmp_path / "etc/ovirt-hosted-engine").mkdir(parents=True)
    (tmp_path / "etc/ovirt-hosted-engine/hosted-engine.conf").write_text("host_id=2\n")
    assert is_hosted_engine_deployed(files)
