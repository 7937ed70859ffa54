"""The module `hooking` under its longer name."""

from hooking import *  # type: ignore[import-not-found]  # noqa: F403
