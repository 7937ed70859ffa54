"""Only what hook scripts look for under this name."""
