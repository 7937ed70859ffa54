"""Storage domains, images, volumes, leases and transfers of a node."""
