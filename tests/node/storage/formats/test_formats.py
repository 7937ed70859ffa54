import ast
from pathlib import Path

from ovis.node.storage import formats

PURE = {"__future__", "collections", "dataclasses", "datetime", "enum", "hashlib", "msgspec", "pathlib", "re", "struct"}
PURE |= {"typing", "uuid"}


def test_no_format_does_io() -> None:
    for file in Path(formats.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text())
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        outside = {name for name in modules if not name.startswith("ovis.node.storage.formats")}
        assert {name.split(".")[0] for name in outside - {"ovis.node.errors", "ovis.node.storage"}} <= PURE, file.name
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "id")}
        assert not called & {"open", "print", "Path"}, file.name


def test_every_module_opens_with_its_layout() -> None:
    for file in Path(formats.__file__).parent.glob("*.py"):
        assert len(ast.get_docstring(ast.parse(file.read_text())) or "") > 150, file.name
