"""The few changes that this host makes to a description before libvirt gets it; everything else stays as written.

- placeholders in `sysinfo` get their values;
- a domain of type kvm becomes one of type qemu where only software emulation works, and then those CPU settings and
  features go that QEMU has with KVM only;
- graphics listen on this host's display address where the description names a libvirt network, which we do not define;
- labels of security drivers that this host lacks go, since libvirt refuses them;
- the guest agents' channels lose their socket path: libvirt chooses one, and it is libvirt that we talk through;
- PCI devices of the host are managed by libvirt, which takes them from their drivers and gives them back however the
  VM ends;
- emulated TPMs keep their contents when the VM goes off: libvirt would forget them in that moment, before anybody
  could fetch what the guest wrote last; they go when the VM is destroyed here;
- the metadata gets the start time.
"""

from __future__ import annotations

from lxml import etree

from ovis.node.vm import metadata
from ovis.node.vm.host_limits import HostLimits
from ovis.node.vm.settings import VmSettings

AGENT_CHANNELS = {"org.qemu.guest_agent.0", "ovirt-guest-agent.0", "com.redhat.rhevm.vdsm"}
KVM_ONLY = ("features/hyperv", "features/kvm", "features/pvspinlock", "features/ioapic[@driver='kvm']")
KVM_TIMERS = {"kvmclock", "hypervclock"}


def arrange(root: etree._Element, settings: VmSettings, limits: HostLimits, *, start_time: float) -> None:
    """Change `root` in place. Safe to repeat."""
    _fill_placeholders(root, settings)
    if settings.virt_type == "qemu" and root.get("type") != "qemu":
        _emulate_in_software(root)
        root.set("type", "qemu")
    if not root.get("type"):
        root.set("type", settings.virt_type)
    _listen(root, settings.display_address)
    _drop_foreign_labels(root, limits.security_models)
    _free_agent_channels(root)
    _manage_host_devices(root)
    _keep_tpms(root)
    metadata.write(root, {"startTime": start_time})


def _fill_placeholders(root: etree._Element, settings: VmSettings) -> None:
    values = {
        "OS-NAME:": settings.os_name,
        "OS-VERSION:": settings.os_version,
        "HOST-SERIAL:": settings.host_serial,
    }
    for entry in root.iterfind("sysinfo//entry"):
        text = (entry.text or "").strip()
        if text in values:
            entry.text = values[text]


def _emulate_in_software(root: etree._Element) -> None:
    for path in KVM_ONLY:
        for feature in root.findall(path):
            _remove(feature)
    for timer in root.findall("clock/timer"):
        if timer.get("name") in KVM_TIMERS:
            _remove(timer)
    cpu = root.find("cpu")
    if cpu is None:
        return
    if cpu.get("mode") in ("host-passthrough", "host-model"):
        for name in ("match", "check", "migratable"):
            cpu.attrib.pop(name, None)
        for child in [*cpu.findall("model"), *cpu.findall("feature"), *cpu.findall("cache")]:
            cpu.remove(child)
        cpu.set("mode", "maximum")
    elif (model := cpu.find("model")) is not None:
        # QEMU emulates what it can of the model and leaves the rest out; libvirt would refuse what must be there.
        cpu.set("check", "none")
        model.set("fallback", "allow")
        for feature in cpu.findall("feature"):
            if feature.get("policy", "require") in ("require", "force"):
                feature.set("policy", "optional")


def _listen(root: etree._Element, address: str) -> None:
    for graphics in root.iterfind("devices/graphics"):
        by_network = [listen for listen in graphics.findall("listen") if listen.get("type") == "network"]
        for listen in by_network:
            graphics.remove(listen)
        if by_network or (graphics.find("listen") is None and "listen" not in graphics.attrib):
            etree.SubElement(graphics, "listen", type="address", address=address)


def _drop_foreign_labels(root: etree._Element, models: frozenset[str]) -> None:
    for label in list(root.iter("seclabel")):
        model = label.get("model")
        if model and model != "dac" and model not in models:
            _remove(label)


def _free_agent_channels(root: etree._Element) -> None:
    for channel in root.iterfind("devices/channel[@type='unix']"):
        target = channel.find("target")
        if target is not None and target.get("name") in AGENT_CHANNELS:
            for source in channel.findall("source"):
                channel.remove(source)


def _manage_host_devices(root: etree._Element) -> None:
    for device in root.iterfind("devices/hostdev[@type='pci']"):
        device.set("managed", "yes")


def _keep_tpms(root: etree._Element) -> None:
    for backend in root.iterfind("devices/tpm/backend[@type='emulator']"):
        if "persistent_state" not in backend.attrib:
            backend.set("persistent_state", "yes")


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)
