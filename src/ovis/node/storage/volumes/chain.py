"""The chain of an image, found from the metadata of all its volumes in one look.

      base ◄── layer ◄── layer ◄── leaf          each names its parent
        ▲
        └── a template: of another image, SHARED, the base of many

Nothing here is believed: parents may be missing, illegal or run in a circle, and each fault is named with its volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ovis.node.storage.formats.identifiers import DomainId, ImageId, VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeFormat, VolumeMetadata, VolumeRole
from ovis.node.storage.volumes.errors import BrokenChain, IllegalVolume, NotInChain
from ovis.node.storage.volumes.store import StoredVolume


@dataclass(frozen=True)
class Layer:
    """`image`: the one that it was made in, for a template another one than the chain's."""

    id: VolumeId
    image: ImageId
    metadata: VolumeMetadata
    stored: StoredVolume

    @property
    def is_template(self) -> bool:
        return self.metadata.role is VolumeRole.SHARED

    @property
    def is_legal(self) -> bool:
        return self.metadata.legality is Legality.LEGAL

    @property
    def qemu_format(self) -> str:
        return "qcow2" if self.metadata.format is VolumeFormat.COW else "raw"


@dataclass(frozen=True)
class Image:
    """`layers`: its volumes and the templates below them; `unreadable`: volumes without usable metadata, and why."""

    domain: DomainId
    id: ImageId
    layers: Mapping[VolumeId, Layer]
    unreadable: Mapping[VolumeId, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"image {self.id} of storage domain {self.domain}"

    @property
    def own(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers.values() if layer.image == self.id)

    def children(self, volume: VolumeId) -> tuple[Layer, ...]:
        """Of this image alone."""
        return tuple(layer for layer in self.own if layer.metadata.parent == volume)

    def layer(self, volume: VolumeId) -> Layer:
        """Raises NotInChain."""
        found = self.layers.get(volume)
        if found is None:
            why = self.unreadable.get(volume, "is none of its volumes")
            raise NotInChain(str(self), f"volume {volume} {why}")
        return found

    def leaf(self) -> Layer:
        """The one volume on which nothing builds. Raises BrokenChain.

        What was merged away still builds on the chain until it is deleted; it does not count.
        """
        self._refuse_unreadable()
        alive = [layer for layer in self.own if not self.is_merged_away(layer)]
        parents = {layer.metadata.parent for layer in alive}
        leaves = [layer for layer in alive if layer.id not in parents]
        if len(leaves) != 1:
            found = ", ".join(sorted(layer.id for layer in leaves)) or "none"
            raise BrokenChain(str(self), f"has to have one last volume; found: {found}")
        return leaves[0]

    def is_merged_away(self, layer: Layer) -> bool:
        """Its data lie in a layer below, and so do those of all that builds on it."""
        left = [layer]
        seen: set[VolumeId] = set()
        while left:
            found = left.pop()
            if found.id in seen or found.metadata.role is not VolumeRole.INTERNAL or found.is_legal:
                return False
            seen.add(found.id)
            left += self.children(found.id)
        return True

    def chain(self, top: VolumeId | None = None) -> tuple[Layer, ...]:
        """From the base to `top` (None: the leaf). Raises BrokenChain, NotInChain."""
        current: Layer | None = self.leaf() if top is None else self.layer(top)
        found: list[Layer] = []
        while current is not None:
            if current in found:
                circle = " -> ".join(layer.id for layer in found[found.index(current) :])
                raise BrokenChain(str(self), f"its volumes run in a circle: {circle} -> {current.id}")
            found.append(current)
            parent = current.metadata.parent
            if parent is None:
                break
            below = self.layers.get(parent)
            if below is None:
                why = self.unreadable.get(parent, "is missing")
                raise BrokenChain(str(self), f"volume {parent}, the parent of {current.id}, {why}")
            if below.image != self.id and not below.is_template:
                raise BrokenChain(str(self), f"volume {current.id} builds on {parent}, which is no template")
            current = below
        return tuple(reversed(found))

    def require_legal(self, chain: tuple[Layer, ...]) -> None:
        """Raises IllegalVolume."""
        for layer in chain:
            if not layer.is_legal:
                raise IllegalVolume(str(self), f"volume {layer.id} is marked {layer.metadata.legality.value}")

    def _refuse_unreadable(self) -> None:
        for volume, why in sorted(self.unreadable.items()):
            raise BrokenChain(str(self), f"volume {volume} {why}")
