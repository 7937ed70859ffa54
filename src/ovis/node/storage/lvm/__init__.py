"""LVM on shared disks: its reports, its changes and what of them may be remembered. docs/storage/block.md."""
