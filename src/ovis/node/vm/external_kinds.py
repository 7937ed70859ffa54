"""What there is beside the disks of a VM, and how much of it at most."""

from __future__ import annotations

from enum import StrEnum

BYTES_MOST = 64 << 20  # UEFI variables have 4 MiB at most, a TPM some hundred KiB
FILES_MOST = 100


class Kind(StrEnum):
    TPM = "tpm"
    NVRAM = "nvram"


class Unreadable(Exception):
    """The text says what is wrong with the files."""
