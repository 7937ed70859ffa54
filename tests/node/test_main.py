import resource
from collections.abc import Iterator

import pytest

from ovis.node import main


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """Those of this process, put back afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_agent_may_open_many_files(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    main._allow_many_files()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == min(hard, main.FILES) or hard == resource.RLIM_INFINITY


def test_larger_limit_is_kept(limits: tuple[int, int]) -> None:
    main._allow_many_files()
    first = resource.getrlimit(resource.RLIMIT_NOFILE)
    main._allow_many_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == first
