"""The disks of a running VM: their chains of volumes, who is at work on them, and what is on them."""
