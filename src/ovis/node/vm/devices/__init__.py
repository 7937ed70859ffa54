"""What a VM is made of: one declarative file per kind of device, and `kinds` which has the table of them."""
