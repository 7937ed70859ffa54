import asyncio

import pytest

from ovis.node.host import libvirt_facts
from ovis.node.hypervisor.acceleration import Kind
from ovis.node.hypervisor.errors import BadDomainXml
from ovis.node.hypervisor.interface import Versions
from ovis.node.hypervisor.simulated import SimulatedHypervisor

VERSIONS = Versions("9.0.0", None)
CAPABILITIES = """
<capabilities>
  <host><cpu><arch>x86_64</arch><counter name='tsc' frequency='2600000000' scaling='no'/></cpu></host>
  <guest><os_type>hvm</os_type><arch name='i686'><machine>isapc</machine></arch></guest>
  <guest><os_type>hvm</os_type><arch name='x86_64'>
    <machine canonical='pc-q35-7.2'>q35</machine><machine>pc-q35-7.2</machine><machine>q35</machine>
    <domain type='kvm'><machine>kvm-only</machine></domain>
  </arch></guest>
</capabilities>"""
DOMAIN = """
<domainCapabilities><cpu>
  <mode name='host-model'><model>EPYC-Rome</model></mode>
  <mode name='custom'><model usable='yes'>EPYC</model><model usable='no'>Broadwell</model></mode>
</cpu></domainCapabilities>"""


def test_machines_of_the_hosts_architecture_and_models_that_run() -> None:
    found = libvirt_facts.parse(CAPABILITIES, DOMAIN, VERSIONS, "x86_64")
    assert found.machines == ("q35", "pc-q35-7.2")
    assert found.cpu_models == ("EPYC",)
    assert (found.tsc_frequency, found.tsc_scaling) == (2_600_000_000, False)


def test_a_libvirt_that_tells_little() -> None:
    found = libvirt_facts.parse("<capabilities/>", "<domainCapabilities/>", VERSIONS, "x86_64")
    assert (found.machines, found.cpu_models, found.tsc_frequency) == ((), (), None)


def test_broken_xml_is_refused() -> None:
    with pytest.raises(BadDomainXml):
        libvirt_facts.parse("<capabilities>", DOMAIN, VERSIONS, "x86_64")


def test_the_hypervisor_is_asked() -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor()
        found = await libvirt_facts.read(hypervisor, Kind.TCG, arch="x86_64")
        assert "q35" in found.machines
        await hypervisor.close()

    asyncio.run(main())
