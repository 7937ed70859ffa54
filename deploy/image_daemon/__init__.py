"""The image transfer daemon (ovirt-imageio) beside the agent.

It has an environment of its own, since it is under the GPL and is only ever run as a program.
"""
