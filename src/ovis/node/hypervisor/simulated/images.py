"""What the disk images of simulated domains hold, so that tests can tell whether a guest's data survived.

An image is a set of numbered blocks over a backing image; files are not touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Image:
    backing: str | None = None
    blocks: dict[int, str] = field(default_factory=dict)


class Images:
    """By path. An image that was never named is empty and has no backing image."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {}

    def __getitem__(self, path: str) -> Image:
        return self._images.setdefault(path, Image())

    def write(self, path: str, block: int, data: str) -> None:
        self[path].blocks[block] = data

    def read(self, path: str) -> dict[int, str]:
        """What a machine that starts from this image sees."""
        image = self[path]
        below = self.read(image.backing) if image.backing else {}
        return {**below, **image.blocks}

    def commit(self, top: str, base: str) -> None:
        """Write down everything between; the images above the base stay as they are."""
        path: str | None = top
        found: dict[int, str] = {}
        while path is not None and path != base:
            found = {**self[path].blocks, **found}
            path = self[path].backing
        self[base].blocks.update(found)
