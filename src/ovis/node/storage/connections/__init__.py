"""Servers and devices that storage domains live on: connecting, disconnecting, and staying connected.

`connections.Connections` is the root; `kinds.KINDS` lists the kinds of storage, each in a file of its own.
"""
