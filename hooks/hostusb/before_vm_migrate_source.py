#!/usr/bin/python3
"""hostusb: a device of this host cannot go along."""

import os

import hooking

if os.environ.get("hostusb"):
    hooking.exit_hook("a VM with USB devices of this host cannot be migrated")
