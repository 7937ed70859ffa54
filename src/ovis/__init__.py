"""Ovis runs and manages KVM hosts: a node agent on every host and an engine above them."""
