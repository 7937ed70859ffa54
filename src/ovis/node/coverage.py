"""How much of the node API is built, counted from the code: verbs with a handler, of all that the schema declares."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

from ovis.schema import Schema

OWN = "ovis-"
"""How the `since` of a verb begins that existing agents do not have."""


def lines(schema: Schema, handled: Collection[str]) -> Iterator[str]:
    """`VM 17/60` a class, then `total 42/205`; verbs that only Ovis has do not count there and come last."""
    shared = {method for method, verb in schema.verbs.items() if not (verb.since or "").startswith(OWN)}
    for name, klass in schema.classes.items():
        if verbs := shared.intersection(f"{name}.{verb}" for verb in klass.verbs):
            yield f"{name} {len(verbs.intersection(handled))}/{len(verbs)}"
    yield f"total {len(shared.intersection(handled))}/{len(shared)}"
    if own := schema.verbs.keys() - shared:
        yield f"only in Ovis {len(own.intersection(handled))}/{len(own)}: {', '.join(sorted(own))}"


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
