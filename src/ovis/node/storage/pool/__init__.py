"""The pool that this host is in, and its manager."""
