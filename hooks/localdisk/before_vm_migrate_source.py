#!/usr/bin/python3
"""localdisk: the copies stay on this host, and so does the VM."""

import os

import hooking

if os.environ.get("localdisk"):
    hooking.exit_hook("a VM whose disks are copies on this host cannot be migrated")
