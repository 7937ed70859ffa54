"""Who may write: host ids, volume leases, the SPM's lease, leases of VMs."""
