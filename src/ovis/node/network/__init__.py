"""Networks of the host: what is wanted, what the kernel has, and the way from one to the other.

    model     what shall be: networks and bonds, as they are kept in files
    checks    whether that can be
    state     what the kernel has: devices, addresses, routes, rules
    layout    model → state: which devices a configuration consists of
    plan      state → state: typed steps (steps.py)

All of these are pure. The root helper (privileged/network*.py) reads, plans, executes, reads again, waits for a proof
of connection, and puts back what was; the agent (networks.py, verbs.py) translates.
"""
