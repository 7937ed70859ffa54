"""A write that storage refuses (EIO) in the middle of an operation: it fails, and leaves no half."""

import errno
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from volume_station import BLOCK, FILE, MIB, OTHER, Station, every_fault, image_id, run, state, volume_id, wish

from ovis.node.storage.errors import StorageError
from ovis.node.storage.formats.identifiers import DomainId
from ovis.node.storage.images import deleting as image_deleting
from ovis.node.storage.images import merging, moving
from ovis.node.storage.images.merging import Subchain
from ovis.node.storage.pool.clearing import clear
from ovis.node.storage.volumes import deleting, extending

BOTH = pytest.mark.parametrize("domain", [FILE, BLOCK])
Work = Callable[[Station, DomainId], Coroutine[Any, Any, None]]


async def chain(host: Station, domain: DomainId) -> None:
    await host.create(wish(domain, 1, 1))
    await host.create(wish(domain, 1, 2, parent=1))


async def create(host: Station, domain: DomainId) -> None:
    await host.create(wish(domain, 1, 3, parent=2))


async def extend(host: Station, domain: DomainId) -> None:
    await host.done(await extending.plan(host[domain], image_id(1), volume_id(2), 96 * MIB))  # type: ignore[arg-type]


async def copy(host: Station, domain: DomainId) -> None:
    plan = moving.plan_move(host[domain], host[OTHER], image_id(1), keep_source=True)  # type: ignore[arg-type]
    await host.done(await plan)


async def prepare(host: Station, domain: DomainId) -> None:
    await host.done(await merging.plan_prepare(host[domain], subchain(domain)))  # type: ignore[arg-type]


async def delete(host: Station, domain: DomainId) -> None:
    await host.done(await deleting.plan(host[domain], image_id(1), [volume_id(2)]))  # type: ignore[arg-type]


async def delete_image(host: Station, domain: DomainId) -> None:
    await host.done(await image_deleting.plan(host[domain], image_id(1)))  # type: ignore[arg-type]


def subchain(domain: DomainId) -> Subchain:
    return Subchain(domain, image_id(1), volume_id(1), volume_id(2))


async def merged(host: Station, domain: DomainId) -> None:
    await chain(host, domain)
    await prepare(host, domain)
    here = host[domain]
    await merging.merge(host.storage, here, subchain(domain), with_bitmaps=True, on_percent=lambda _: None)  # type: ignore[arg-type]


async def finalize(host: Station, domain: DomainId) -> None:
    await host.done(await merging.plan_finalize(host[domain], subchain(domain)))  # type: ignore[arg-type]


async def cleared(host: Station) -> None:
    """As the next SPM does."""
    for domain in (FILE, BLOCK):
        await clear(host[domain], image_id(1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("work", "domain"),
    [(create, FILE), (create, BLOCK), (extend, FILE), (extend, BLOCK), (copy, FILE), (prepare, BLOCK)],
    ids=lambda given: getattr(given, "__name__", "block" if given == BLOCK else "files"),
)
def test_an_operation_that_fails_leaves_nothing(tmp_path: Path, domain: DomainId, work: Work) -> None:
    faults = every_fault(tmp_path, lambda host: chain(host, domain), lambda host: work(host, domain), errno.EIO)
    assert faults > 1


@pytest.mark.parametrize("work", [create, extend, copy, prepare], ids=lambda work: work.__name__)
def test_an_operation_whose_io_is_killed_leaves_nothing(tmp_path: Path, work: Work) -> None:
    assert every_fault(tmp_path, lambda host: chain(host, FILE), lambda host: work(host, FILE), None) > 1


@pytest.mark.parametrize("work", [delete, delete_image], ids=lambda work: work.__name__)
def test_a_deletion_whose_io_is_killed_goes_on_once_it_has_begun(tmp_path: Path, work: Work) -> None:
    def is_marked(before: dict[str, str], now: dict[str, str]) -> bool:
        name = f"{FILE}/{volume_id(2)}"
        return now == before | {name: before[name].replace("LEGALITY=LEGAL", "LEGALITY=ILLEGAL")}

    assert (
        every_fault(tmp_path, lambda host: chain(host, FILE), lambda host: work(host, FILE), None, also=is_marked) > 1
    )


@BOTH
@pytest.mark.parametrize("work", [delete, delete_image], ids=lambda work: work.__name__)
def test_a_deletion_that_fails_can_be_done_again_or_is_cleared(tmp_path: Path, domain: DomainId, work: Work) -> None:
    faults = every_fault(
        tmp_path, lambda host: chain(host, domain), lambda host: work(host, domain), errno.EIO, also=lambda *_: True
    )
    assert faults > 1

    async def again(host: Station) -> None:
        try:
            await work(host, domain)
        except StorageError:
            await cleared(host)

    whole = run(tmp_path / "whole", state)
    for number in range(faults):
        run(tmp_path / str(number), again)
        assert run(tmp_path / str(number), state) == whole


@BOTH
def test_a_merge_whose_end_fails_is_finalized_again(tmp_path: Path, domain: DomainId) -> None:
    faults = every_fault(
        tmp_path, lambda host: merged(host, domain), lambda host: finalize(host, domain), errno.EIO,
        also=lambda *_: True,
    )  # fmt: skip
    whole = run(tmp_path / "whole", state)
    for number in range(faults):
        if run(tmp_path / str(number), state) != whole:
            run(tmp_path / str(number), lambda host: finalize(host, domain))
        assert run(tmp_path / str(number), state) == whole
