"""Which module files a guest needs, in the order in which insmod can load them.

An unpacked kernel package has no modules.dep (depmod makes it at installation), so the dependencies are read from where
depmod reads them: the `depends=` entry in each module's .modinfo section.
"""

import re
from pathlib import Path

_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


class ModuleMissing(Exception):
    def __init__(self, name: str, root: Path) -> None:
        super().__init__(f"kernel module {name} is not in {root}; is it built into this kernel, or renamed?")


def load_order(root: Path, wanted: list[str]) -> list[Path]:
    """Files of the wanted modules below `root`, each after those that it depends on. Raises ModuleMissing."""
    files = {_plain(path.stem): path for path in root.rglob("*.ko")}
    order: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in order:
            return
        if name not in files:
            raise ModuleMissing(name, root)
        for dependency in dependencies(files[name]):
            add(dependency)
        order[name] = files[name]

    for name in wanted:
        add(_plain(name))
    return list(order.values())


def dependencies(module: Path) -> list[str]:
    found = _DEPENDS.search(module.read_bytes())
    return [_plain(name) for name in found[1].decode().split(",")] if found and found[1] else []


def _plain(name: str) -> str:
    """The kernel treats - and _ in module names alike."""
    return name.replace("-", "_")
