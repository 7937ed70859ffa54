"""Backups of running VMs: what QEMU offers for reading, and the checkpoints on which incremental ones build."""
