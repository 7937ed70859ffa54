"""Live migration: a VM leaves (`source`) or arrives (`destination`), and at every moment exactly one copy may run.

The two libvirt daemons carry the memory between them; the agents agree before, watch, and settle afterwards. What holds
after a fault is decided by one table (`verdict`), from what is found here and what the other agent says.
"""
