"""The description with which a VM runs on the other host: what belongs to this host is changed, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from ovis.client.types import MigrateParams
from ovis.node.errors import BadParameter
from ovis.node.vm import safe_xml

FIELD = "libvirt's migratable domain XML"


def for_destination(text: str, wish: MigrateParams, *, display_address: str | None) -> str | None:
    """None when it may stay as it is. `display_address`: where graphics listen there. Raises BadParameter."""
    root = safe_xml.parse_own(text, FIELD)
    changed = [
        _listen(root, display_address),
        _pin(root, wish.cpusets),
        _place_memory(root, wish.numa_nodesets),
    ]
    return safe_xml.text_of(root) if any(changed) else None


def _listen(root: etree._Element, address: str | None) -> bool:
    changed = False
    for graphics in root.iterfind("devices/graphics"):
        listens = [listen for listen in graphics.findall("listen") if listen.get("type", "address") == "address"]
        for element in (graphics, *listens):
            name = "listen" if element is graphics else "address"
            if address and element.get(name) not in (None, address):
                element.set(name, address)
                changed = True
    return changed


def _pin(root: etree._Element, cpusets: Sequence[str] | None) -> bool:
    if not cpusets:
        return False
    vcpus = int((root.findtext("vcpu") or "1").strip())
    if len(cpusets) > vcpus:
        raise BadParameter("params.cpusets", f"has {len(cpusets)} entries, the VM has {vcpus} CPUs")
    tune = root.find("cputune")
    if tune is None:
        tune = etree.SubElement(root, "cputune")
    for pin in tune.findall("vcpupin"):
        tune.remove(pin)
    for number, cpuset in enumerate(cpusets):
        etree.SubElement(tune, "vcpupin", vcpu=str(number), cpuset=_set(cpuset, "params.cpusets"))
    return True


def _place_memory(root: etree._Element, nodesets: Sequence[str] | None) -> bool:
    if not nodesets:
        return False
    tune = root.find("numatune")
    if tune is None:
        tune = etree.SubElement(root, "numatune")
    modes = {node.get("cellid"): node.get("mode", "strict") for node in tune.findall("memnode")}
    for node in tune.findall("memnode"):
        tune.remove(node)
    for number, nodeset in enumerate(nodesets):
        cell = str(number)
        nodes = _set(nodeset, "params.numaNodesets")
        etree.SubElement(tune, "memnode", cellid=cell, mode=modes.get(cell, "strict"), nodeset=nodes)
    return True


def _set(text: str, field: str) -> str:
    if not text or not set(text) <= set("0123456789-,^"):
        raise BadParameter(field, f"{text[:40]!r} is no list of numbers such as 0-3,5")
    return text
