"""Live snapshots: new layers on the disks of a running VM, and its memory when asked."""
