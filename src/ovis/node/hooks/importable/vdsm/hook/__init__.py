"""Some scripts write `from vdsm.hook import hooking`."""
