"""Devices that come to and leave a running VM. `plugging` has the order of steps; the others know one kind each."""
