"""Volumes and images: made, changed, copied, merged and removed, on any kind of domain."""
