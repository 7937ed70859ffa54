import pytest
from golden_files import IMAGE, VOLUME
from hypothesis import given
from values import volume_tags

from ovis.node.storage.formats.errors import WrongTag
from ovis.node.storage.formats.volume_tags import Removal, Unfinished, VolumeTags, read, write

ZEROS = "00000000-0000-0000-0000-000000000000"
TAGS = (f"IU_{IMAGE}", f"PU_{ZEROS}", "MD_4")


def test_a_volume() -> None:
    assert read(TAGS) == VolumeTags(IMAGE, None, 4)
    assert read((f"PU_{VOLUME}", "MD_12", f"IU_{IMAGE}", "mine")) == VolumeTags(IMAGE, VOLUME, 12, other=("mine",))


def test_a_deleted_image() -> None:
    assert read((f"IU__remove_me_{IMAGE}", *TAGS[1:])) == VolumeTags(IMAGE, None, 4, Removal.DELETE)
    assert read((f"IU__remove_me_ZERO_{IMAGE}", *TAGS[1:])) == VolumeTags(IMAGE, None, 4, Removal.WIPE)


def test_a_volume_that_is_being_made_is_none_yet() -> None:
    assert read(("OVIRT_VOL_INITIALIZING",)) == Unfinished(None)
    assert read((*TAGS, "OVIRT_VOL_INITIALIZING")) == Unfinished(4)


@given(volume_tags)
def test_what_is_written_is_read(tags: VolumeTags) -> None:
    assert read(write(tags)) == tags


@pytest.mark.parametrize(
    ("tags", "where"),
    [
        (TAGS[1:], "IU_"),
        (TAGS[::2], "PU_"),
        (TAGS[:2], "MD_"),
        ((), "IU_"),
        ((*TAGS, "MD_5"), "MD_"),
        ((*TAGS[:2], "MD_-1"), "MD_"),
        ((*TAGS[:2], "MD_٣"), "MD_"),
        ((*TAGS[:2], "MD_1234567"), "MD_"),
        (("IU_x", *TAGS[1:]), "IU_"),
        ((f"IU__remove_me__remove_me_{IMAGE}", *TAGS[1:]), "IU_"),
        ((TAGS[0], "PU_", TAGS[2]), "PU_"),
    ],
)
def test_wrong_tags_are_refused_and_named(tags: tuple[str, ...], where: str) -> None:
    with pytest.raises(WrongTag) as refusal:
        read(tags)
    assert refusal.value.where == where


@pytest.mark.parametrize(
    "tags",
    [VolumeTags("x", None, 4), VolumeTags(IMAGE, None, -1), VolumeTags(IMAGE, None, 4, other=("MD_5",))],
)
def test_what_would_be_refused_is_not_written(tags: VolumeTags) -> None:
    with pytest.raises(WrongTag):
        write(tags)
