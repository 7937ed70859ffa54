"""Managed volumes: block devices of storage systems that this host attaches and detaches, outside storage domains."""
