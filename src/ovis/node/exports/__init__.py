"""Writing VMs into OVA archives."""
