#!/usr/bin/python3
"""pincpu: on which CPUs of the host the VM runs."""

import re

import hookxml

CPUS = re.compile(r"\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*")


def pin(domain, value):
    if not CPUS.fullmatch(value):
        raise ValueError("a set of CPUs such as 0-3,^2 is wanted")
    vcpu = hookxml.find(domain, "vcpu")
    if vcpu is None:
        vcpu = hookxml.add(domain, "vcpu", "1")
    vcpu.setAttribute("cpuset", value)


hookxml.with_property("pincpu", pin)
