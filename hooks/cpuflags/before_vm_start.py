#!/usr/bin/python3
"""cpuflags: features of the VM's CPU."""

import hookxml

POLICIES = ("force", "require", "optional", "disable", "forbid")
SIGNS = {"+": "require", "-": "disable"}


def wanted(value):
    if value.startswith("{"):
        yield from hookxml.mapping(value).items()
        return
    for text in value.split(","):
        sign, name = text.strip()[:1], text.strip()[1:]
        if sign not in SIGNS:
            raise ValueError(f"{text!r} has neither + nor - before it")
        yield name, SIGNS[sign]


def put(domain, value):
    cpu = hookxml.find(domain, "cpu")
    if cpu is None:
        cpu = hookxml.add(domain, "cpu", mode="host-model")
    for name, policy in wanted(value):
        if policy not in POLICIES:
            raise ValueError(f"{policy!r} is none of {', '.join(POLICIES)}")
        for feature in hookxml.children(cpu, "feature"):
            if feature.getAttribute("name") == name:
                cpu.removeChild(feature)
        hookxml.add(cpu, "feature", policy=policy, name=hookxml.plain(name, "feature"))


hookxml.with_property("cpuflags", put)
