"""What the system inside a VM tells of itself, through the QEMU guest agent."""
