#!/usr/bin/python3
"""nestedvt: virtualization for guests."""

import os

import hooking
import hookxml

FEATURES = {"kvm_intel": "vmx", "kvm_amd": "svm"}
MODULES = "/sys/module"


def feature():
    for module, name in FEATURES.items():
        try:
            with open(f"{MODULES}/{module}/parameters/nested", encoding="ascii") as file:
                if file.read().strip() in ("1", "Y"):
                    return name
        except OSError:
            continue
    return None


def allow(domain):
    name = feature()
    cpu = hookxml.find(domain, "cpu")
    if name is None or (cpu is not None and cpu.getAttribute("mode") in ("host-passthrough", "maximum")):
        return  # those have what the host has
    if cpu is None:
        cpu = hookxml.add(domain, "cpu", mode="host-model")
    for old in hookxml.children(cpu, "feature"):
        if old.getAttribute("name") == name:
            cpu.removeChild(old)
    hookxml.add(cpu, "feature", policy="require", name=name)


if hooking.tobool(os.environ.get("nestedvt", "true")):
    hookxml.always(allow)
