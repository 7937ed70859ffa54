"""The root helper `ovis-privileged`: a fixed list of typed verbs for an agent that need not be root, and no shell.

`client.Privileged` is the agent's side; the families of verbs are mounts, lvm, iscsi, multipath and devices. What a
hostile agent could gain is bounded by `rules.Rules`, which the agent does not choose.
"""
