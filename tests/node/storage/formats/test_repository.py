from pathlib import PurePosixPath

import pytest
from golden_files import DOMAIN, IMAGE, POOL, VOLUME

from ovis.node.storage.formats import repository
from ovis.node.storage.formats.errors import Broken, TooLong
from ovis.node.storage.formats.repository import Repository, mount_name
from ovis.node.storage.formats.volume_tags import Removal

REPOSITORY = Repository()


@pytest.mark.parametrize(
    ("remote_path", "name"),
    [
        ("nas:/exports/data", "nas:_exports_data"),
        ("nas:/exports/vm_disks", "nas:_exports_vm__disks"),
        ("[fd00::1]:/a", "[fd00::1]:_a"),
        ("/srv/local", "_srv_local"),
        ("__", "____"),
    ],
)
def test_names_of_mounts(remote_path: str, name: str) -> None:
    assert mount_name(remote_path) == name


def test_two_remote_paths_may_share_a_name() -> None:
    assert mount_name("nas:/a_/b") == mount_name("nas:/a/_b")


@pytest.mark.parametrize("remote_path", ["", ".", "..", "a\0b"])
def test_what_cannot_be_a_folder_is_refused(remote_path: str) -> None:
    with pytest.raises(Broken):
        mount_name(remote_path)


def test_a_name_too_long_for_a_folder_is_refused() -> None:
    with pytest.raises(TooLong):
        mount_name("nas:/" + "_" * 130)


def test_paths_of_a_file_domain() -> None:
    domain = repository.domain_on(REPOSITORY.mount("nas:/exports/data"), DOMAIN)
    folder = f"/rhev/data-center/mnt/nas:_exports_data/{DOMAIN}"
    assert domain.metadata == PurePosixPath(f"{folder}/dom_md/metadata")
    assert domain.special("xleases") == PurePosixPath(f"{folder}/dom_md/xleases")
    assert domain.volume(IMAGE, VOLUME) == PurePosixPath(f"{folder}/images/{IMAGE}/{VOLUME}")
    assert domain.volume_metadata(IMAGE, VOLUME) == PurePosixPath(f"{folder}/images/{IMAGE}/{VOLUME}.meta")
    assert domain.volume_lease(IMAGE, VOLUME) == PurePosixPath(f"{folder}/images/{IMAGE}/{VOLUME}.lease")
    assert domain.image(IMAGE, Removal.DELETE) == PurePosixPath(f"{folder}/images/_remove_me_{IMAGE}")
    assert domain.tasks == PurePosixPath(f"{folder}/master/tasks")
    assert domain.vms == PurePosixPath(f"{folder}/master/vms")


def test_paths_of_the_repository() -> None:
    assert REPOSITORY.gluster_mount("g:/v") == PurePosixPath("/rhev/data-center/mnt/glusterSD/g:_v")
    assert REPOSITORY.block_domain(DOMAIN).master == PurePosixPath(f"/rhev/data-center/mnt/blockSD/{DOMAIN}/master")
    assert REPOSITORY.domain_link(POOL, DOMAIN) == PurePosixPath(f"/rhev/data-center/{POOL}/{DOMAIN}")
    assert REPOSITORY.master_link(POOL) == PurePosixPath(f"/rhev/data-center/{POOL}/mastersd")
    in_use = REPOSITORY.volume_in_use(DOMAIN, IMAGE, VOLUME)
    assert in_use == PurePosixPath(f"/run/vdsm/storage/{DOMAIN}/{IMAGE}/{VOLUME}")


@pytest.mark.parametrize("name", ["..", "../../etc", "", "a/b", IMAGE + "\n", IMAGE.upper()])
def test_a_name_that_is_no_id_never_becomes_a_path(name: str) -> None:
    domain = REPOSITORY.block_domain(DOMAIN)
    for path in (domain.image, lambda text: domain.volume(IMAGE, text), lambda text: domain.volume(text, VOLUME)):
        with pytest.raises(Broken):
            path(name)
    with pytest.raises(Broken):
        REPOSITORY.block_domain(name)
    with pytest.raises(Broken):
        domain.special(name)


def test_names_in_folders_are_told() -> None:
    assert repository.image_of(IMAGE) == (IMAGE, Removal.NONE)
    assert repository.image_of(f"_remove_me_{IMAGE}") == (IMAGE, Removal.DELETE)
    assert repository.image_of("lost+found") is None
    assert repository.volume_of(VOLUME) == (VOLUME, "")
    assert repository.volume_of(f"{VOLUME}.meta") == (VOLUME, ".meta")
    assert repository.volume_of(f"{VOLUME}.lease") == (VOLUME, ".lease")
    assert repository.volume_of(f"{VOLUME}.meta.new") is None
