"""The oVirt guest agent: what it tells of the guest, and what it can be asked to do at the desktop."""
