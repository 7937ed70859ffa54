#!/usr/bin/python3
"""faqemu: emulate what was meant for KVM."""

import hookxml


def emulate(domain):
    domain.setAttribute("type", "qemu")
    cpu = hookxml.find(domain, "cpu")
    if cpu is not None and cpu.getAttribute("mode") in ("host-passthrough", "host-model", "custom"):
        hookxml.remove(cpu, "model", "vendor", "feature", "maxphysaddr", "cache")
        for name in ("match", "check", "migratable"):
            if cpu.hasAttribute(name):
                cpu.removeAttribute(name)
        cpu.setAttribute("mode", "maximum")


hookxml.always(emulate)
