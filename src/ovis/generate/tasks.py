"""What `python -m ovis.generate` does, each as one function that returns the exit code."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from ovis import client
from ovis.generate import proofs, published, python_client, python_codec, python_types, unions
from ovis.generate.verdict import judge
from ovis.schema import Schema, compiled
from ovis.schema.read import read_folder

API_FOLDER = Path(__file__).parents[1] / "node" / "api"
TESTS_FOLDER = Path(__file__).parents[3] / "tests" / "real"
CLIENT_FOLDER = Path(client.__file__).parent


def python_files(schema: Schema) -> dict[Path, str]:
    """Path and text of every committed file that is made from the schema."""
    pythonic = unions.separated(schema)
    return {
        CLIENT_FOLDER / "types.py": python_types.write(pythonic),
        CLIENT_FOLDER / "verbs.py": python_codec.write(pythonic),
        CLIENT_FOLDER / "api.py": python_client.write(schema, asynchronous=False),
        CLIENT_FOLDER / "async_api.py": python_client.write(schema, asynchronous=True),
        CLIENT_FOLDER / "node_schema.json": compiled.encode(schema).decode(),
    }


def write_python() -> int:
    """Write the files that differ from what the schema says."""
    for path, text in python_files(read_folder(API_FOLDER)).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 0


def check(api_folder: Path = API_FOLDER) -> int:
    """Print what is wrong with the schema, and 1 when anything is."""
    verdict = judge(api_folder)
    print("\n".join(verdict.lines()))
    return 0 if verdict.is_good else 1


def publish(version: int, api_folder: Path = API_FOLDER, built: Collection[str] | None = None) -> int:
    """Keep today's schema as a published version; refused unless it is good and the number is the next one.

    `built`: the verbs that the agent answers; None asks the agent's code.
    """
    if built is None:
        from ovis.node import coverage as node_coverage  # only here, as in `coverage`

        built = node_coverage.built()
    verdict = judge(api_folder)
    if verdict.schema is None or not verdict.is_good:
        print("\n".join(verdict.lines()))
        return 1
    try:
        file = published.publish(api_folder, verdict.schema, version, built=built)
    except published.PublishError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {file}")
    return 0


def coverage() -> int:
    """Print how many verbs the agent answers, a class a line, and what of class VM no test on a real guest calls."""
    from ovis.node import coverage as node_coverage  # only here: everything else works without the agent's packages

    code = node_coverage.main()
    schema = read_folder(API_FOLDER)
    known = _proofs(schema)
    if known is not None:
        proved = sum(f"VM.{verb}" in known.tests for verb in schema.classes["VM"].verbs)
        print(f"VM called by tests on real guests {proved}/{len(schema.classes['VM'].verbs)}")
        for verb, why in known.needs.items():
            print(f"  {verb} needs {why}")
    return code


def _proofs(schema: Schema) -> proofs.Proofs | None:
    """None where there are no tests: in an installed package."""
    return proofs.read(TESTS_FOLDER, schema) if TESTS_FOLDER.is_dir() else None


def write_docs(out: Path) -> int:
    """Write the HTML reference into a folder, which is made when it is not there."""
    from ovis.generate import html

    schema = read_folder(API_FOLDER)
    pages = html.pages(schema, _proofs(schema))
    for name, text in pages.items():
        file = out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    print(f"wrote {len(pages)} files; open {out / 'index.html'}")
    return 0
