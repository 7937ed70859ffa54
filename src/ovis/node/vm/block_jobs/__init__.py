"""Long work on the disks of running VMs that QEMU does: merges and mirrors."""
