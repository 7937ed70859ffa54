"""The Python client of the node API: typed, synchronous and asynchronous. Mostly generated."""
