"""Taking over VMs from elsewhere: OVA archives, other libvirt hosts, VMware and Xen."""
