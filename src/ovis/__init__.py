"""Ovis runs and manages KVM hosts: a node agent on every host and an engine above them."""

__version__ = "0.1.0"
"""As in pyproject.toml; reading it from the installed package's metadata loads 1.4 MB of modules."""
