"""How much of the node API is built, counted from the code: verbs with a handler, of all that the schema declares."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

from ovis.schema import Schema


def lines(schema: Schema, handled: Collection[str]) -> Iterator[str]:
    """`VM 17/60` a class, last `total 42/205`."""
    built_in_all = 0
    for name, klass in schema.classes.items():
        built = sum(f"{name}.{verb}" in handled for verb in klass.verbs)
        built_in_all += built
        yield f"{name} {built}/{len(klass.verbs)}"
    yield f"total {built_in_all}/{len(schema.verbs)}"


def built() -> frozenset[str]:
    """The verbs that this agent answers."""
    import ovis.node.daemon  # noqa: F401  # whatever the agent imports registers its handlers
    from ovis.node.registry import HANDLERS

    return frozenset(HANDLERS)


def main() -> int:
    """Print the table for this agent."""
    from importlib.resources import as_file, files

    from ovis.schema import compiled

    with as_file(files("ovis.client") / "node_schema.json") as file:
        schema = compiled.load(file)
    print("\n".join(lines(schema, built())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
