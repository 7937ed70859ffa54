"""Bulk transfers of images: permissions for the image transfer daemon, which moves the bytes."""
