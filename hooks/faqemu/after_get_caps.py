#!/usr/bin/python3
"""faqemu: claim that this host has KVM."""

import hooking

capabilities = hooking.read_json()
capabilities["kvmEnabled"] = "true" if isinstance(capabilities.get("kvmEnabled"), str) else True
hooking.write_json(capabilities)
