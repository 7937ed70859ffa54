"""The page for Prometheus, read by a parser that takes nothing for granted."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

from vm_host import ID, vm_host

from ovis.client.types import StorageDomainVitals
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.sampling import Clocks, HostSampler
from ovis.node.jobs import Jobs
from ovis.node.observing import metrics
from ovis.node.observing.exposition import Family, label, text
from ovis.wire.events import Bus

SAMPLE = re.compile(r'([a-z_0-9]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+-]+|NaN)')
DOMAIN = "d0000000-0000-4000-8000-000000000000"


class Host:
    """As much of a node as the page needs."""

    def __init__(self, vms: Any = ()) -> None:
        self.vms, self.is_ready, self.policy_fails = vms, True, False
        self.jobs = Jobs(Bus())
        self.hypervisor = type("Libvirt", (), {"connected": True})
        self.host = type("Monitor", (), {"reading": HostSampler(KernelFiles(), Clocks()).take()})

    def storage_vitals(self) -> dict[str, StorageDomainVitals]:
        vitals = StorageDomainVitals(
            acquired=True, code=0, delay=0.002, last_check=3.0, valid=True, version=5, actual=True
        )
        return {DOMAIN: vitals}


def parsed(page: str) -> dict[str, float]:
    """{name{labels}: value}. Strict: each family once, HELP and TYPE first, counters named _total, no value twice."""
    values: dict[str, float] = {}
    families: set[str] = set()
    current = ""
    for line in page.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in families
            families.add(current)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current
            assert name.endswith("_total") is (kind == "counter")
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] == current
            key = line.rpartition(" ")[0]
            assert key not in values
            values[key] = float(found[3])
    assert page.endswith("\n")
    return values


def test_the_page_of_a_host_with_a_vm(tmp_path: Path) -> None:
    async def main() -> str:
        async with vm_host(tmp_path) as host:
            await host.started(name='we"b')
            await host.vms.sample()
            return metrics.page(Host(host.vms))  # type: ignore[arg-type]

    page = parsed(asyncio.run(main()))
    assert any(key.startswith(f'ovis_vm_info{{id="{ID}",name="we\\"b",status="') for key in page)
    assert page[f'ovis_vm_memory_bytes{{id="{ID}"}}'] == 128 << 20
    assert page[f'ovis_vm_cpu_seconds_total{{id="{ID}"}}'] >= 0
    assert page[f'ovis_storage_domain_valid{{id="{DOMAIN}"}}'] == 1
    assert page["ovis_agent_ready"] == 1
    assert page["ovis_host_memory_total_bytes"] > 1 << 28
    assert page["ovis_agent_resident_memory_bytes"] > 1 << 20
    assert page['ovis_host_cpu_seconds_total{cpu="0",mode="user"}'] > 0


def test_an_agent_that_knows_nothing_yet_has_a_page() -> None:
    host = Host()
    host.is_ready, host.host.reading = False, None
    assert parsed(metrics.page(host))["ovis_agent_ready"] == 0  # type: ignore[arg-type]


def test_labels_are_escaped_and_unknown_values_left_out() -> None:
    family = Family("ovis_x", "gauge", "doc")
    family.add(None)
    assert text([family]) == ""
    family.add(1.5, f'name="{label(chr(34) + chr(92) + chr(10))}"')
    assert text([family]) == '# HELP ovis_x doc\n# TYPE ovis_x gauge\novis_x{name="\\"\\\\\\n"} 1.5\n'


def test_a_thousand_vms_cost_little(tmp_path: Path) -> None:
    async def main() -> float:
        async with vm_host(tmp_path) as host:
            await host.started()
            await host.vms.sample()
            many = [host.vms.find(ID)] * 1000
            took = []
            for _ in range(5):
                begun = time.process_time()
                metrics.page(Host(many))  # type: ignore[arg-type]
                took.append(time.process_time() - begun)
            return min(took)

    assert asyncio.run(main()) < 0.25  # about 25 ms on a quiet machine
