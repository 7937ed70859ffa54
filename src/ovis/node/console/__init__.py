"""Consoles of VMs: passwords of the graphical ones, and the way through the agent to screen and serial console."""
