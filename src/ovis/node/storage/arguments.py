"""Ids as callers write them: upper case is lower case here, and the UUID of zeros stands for nothing."""

from __future__ import annotations

from ovis.node.storage.formats.identifiers import NOTHING, DomainId, ImageId, PoolId, VolumeId


def pool(text: str) -> PoolId:
    return PoolId(text.lower())


def domain(text: str) -> DomainId:
    return DomainId(text.lower())


def image(text: str) -> ImageId:
    return ImageId(text.lower())


def pool_or_none(text: str | None) -> PoolId | None:
    return None if text in (None, "", NOTHING) else pool(text)


def domain_or_none(text: str | None) -> DomainId | None:
    return None if text in (None, "", NOTHING) else domain(text)


def image_or_none(text: str | None) -> ImageId | None:
    return None if text in (None, "", NOTHING) else image(text)


def volume(text: str) -> VolumeId:
    return VolumeId(text.lower())


def volume_or_none(text: str | None) -> VolumeId | None:
    return None if text in (None, "", NOTHING) else volume(text)
