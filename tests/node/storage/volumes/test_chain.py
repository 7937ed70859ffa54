from dataclasses import replace

import pytest
from volume_station import COW, FILE, FULL, MIB, RAW, SPARSE, image_id, volume_id

from ovis.node.storage.formats.identifiers import VolumeId
from ovis.node.storage.formats.volume_metadata import Legality, VolumeMetadata, VolumeRole
from ovis.node.storage.volumes import sizes
from ovis.node.storage.volumes.chain import Image, Layer
from ovis.node.storage.volumes.errors import BrokenChain, IllegalVolume, NotInChain
from ovis.node.storage.volumes.store import StoredVolume


def layer(number: int, parent: int | None, role: VolumeRole = VolumeRole.INTERNAL, *, image: int = 1) -> Layer:
    metadata = VolumeMetadata(
        domain=FILE, image=image_id(image), parent=None if parent is None else volume_id(parent), capacity=MIB,
        format=COW, allocation=SPARSE, role=role, created=0,
    )  # fmt: skip
    return Layer(volume_id(number), image_id(image), metadata, StoredVolume(image_id(image), MIB, MIB))


def image(*layers: Layer, unreadable: dict[VolumeId, str] | None = None) -> Image:
    return Image(FILE, image_id(1), {found.id: found for found in layers}, unreadable or {})


def ids(chain: tuple[Layer, ...]) -> list[int]:
    return [int(found.id[-4:]) for found in chain]


LEAF = VolumeRole.LEAF


def test_from_the_base_to_the_leaf_or_to_any_other() -> None:
    found = image(layer(3, 2, LEAF), layer(1, None), layer(2, 1))
    assert ids(found.chain()) == [1, 2, 3]
    assert ids(found.chain(volume_id(2))) == [1, 2]
    with pytest.raises(NotInChain):
        found.chain(volume_id(7))


def test_a_template_of_another_image_is_the_base() -> None:
    shared = layer(9, None, VolumeRole.SHARED, image=2)
    assert ids(image(layer(1, 9, LEAF), shared).chain()) == [9, 1]
    with pytest.raises(BrokenChain, match="no template"):
        image(layer(1, 9, LEAF), layer(9, None, image=2)).chain()


@pytest.mark.parametrize(
    ("layers", "fault"),
    [
        ((layer(1, 2), layer(2, 1), layer(3, 2, LEAF)), "circle"),
        ((layer(1, 1),), "one last volume"),
        ((layer(2, 1, LEAF),), "is missing"),
        ((layer(1, None), layer(2, 1, LEAF), layer(3, 1, LEAF)), "found: .*2, .*3"),
        ((), "found: none"),
    ],
)
def test_what_is_no_chain(layers: tuple[Layer, ...], fault: str) -> None:
    with pytest.raises(BrokenChain, match=fault):
        image(*layers).chain()


def test_a_volume_that_cannot_be_read_is_named() -> None:
    broken = image(layer(2, 1, LEAF), unreadable={volume_id(1): "has unusable metadata: torn"})
    with pytest.raises(BrokenChain, match="torn"):
        broken.chain()
    with pytest.raises(BrokenChain, match="torn"):
        broken.chain(volume_id(2))


def test_what_was_merged_away_does_not_count() -> None:
    gone = layer(2, 1)
    gone = replace(gone, metadata=replace(gone.metadata, legality=Legality.ILLEGAL))
    assert ids(image(layer(1, None, LEAF), gone).chain()) == [1]
    assert ids(image(layer(1, None), gone, layer(3, 1, LEAF)).chain()) == [1, 3]


def test_an_illegal_volume_is_named() -> None:
    bad = layer(1, None)
    bad = replace(bad, metadata=replace(bad.metadata, legality=Legality.ILLEGAL))
    found = image(bad, layer(2, 1, LEAF))
    with pytest.raises(IllegalVolume, match=volume_id(1)):
        found.require_legal(found.chain())


def test_sizes_of_containers() -> None:
    def size(**given: object) -> tuple[int, bool]:
        usual = {"format": COW, "allocation": SPARSE, "capacity": 1 << 40, "is_block": True}
        found = sizes.container(**(usual | given))  # type: ignore[arg-type]
        return found.size, found.allocate

    assert size() == (sizes.GROWTH_STEP, True)
    assert size(initial=10 * MIB) == (11 * MIB, True)
    assert size(allocation=FULL)[0] == (1 << 40) + (1 << 40) // 10 + 1
    assert size(capacity=10 * MIB) == (11 * MIB, True)
    assert size(format=RAW, allocation=FULL) == (1 << 40, True)
    assert size(format=RAW, is_block=False) == (1 << 40, False)
    assert size(format=RAW, is_block=False, allocation=FULL) == (1 << 40, True)
    assert size(format=RAW, is_block=False, allocation=FULL, initial=0) == (1 << 40, False)
    assert size(is_block=False) == (0, False)
