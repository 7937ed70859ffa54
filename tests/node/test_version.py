"""The version that the agent tells."""

from importlib.metadata import version

import ovis


def test_it_is_that_of_the_installed_package() -> None:
    assert ovis.__version__ == version("ovis")
