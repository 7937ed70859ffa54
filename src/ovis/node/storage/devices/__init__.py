"""The disks that this host sees: multipath maps, their paths and who uses them. docs/storage/block.md."""
