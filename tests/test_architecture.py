"""The house: floors, circles, length, public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import synode_df as sd

PACKAGE = Path(sd.__file__).parent
FLOORS = [
    {"errors", "checks", "durations", "extras", "randomness", "version"},
    {"fields"},
    {"model"},
    {"engine"},
    {"output", "monitoring"},
    {"run", "analysis"},
    {"notebook", "cli", "__main__"},
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports, also lazily and for typing."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "synode_df":
            for alias in node.names:
                inner = PACKAGE.parent.joinpath(*node.module.split("."), alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.split(".")[0] == "synode_df")
    return found


def floor_of(module: str) -> int | None:
    parts = module.split(".")
    return next((level for level, rooms in enumerate(FLOORS) if len(parts) > 1 and parts[1] in rooms), None)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path: Path) -> None:
    own = floor_of(name_of(path))
    assert own is not None, "a room on no floor"
    higher = [other for other in imported(path) if (floor_of(other) or 0) > own]
    assert higher == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name_of(path): imported(path) - {name_of(path)} for path in MODULES}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 420


def test_public_names_are_listed_sorted_and_complete() -> None:
    assert sd.__all__ == sorted(sd.__all__)
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    public = {name for name in vars(sd) if not name.startswith("_") and name not in rooms}
    assert (public - {"TYPE_CHECKING"}) | {"__version__", *sd._LAZY} == set(sd.__all__)


@pytest.mark.parametrize("name", [name for name in sd.__all__ if callable(getattr(sd, name))])
def test_public_names_are_documented_with_an_example(name: str) -> None:
    text = inspect.getdoc(getattr(sd, name)) or ""
    assert ">>> " in text or name == "WorkerPool"
    members = inspect.getmembers(getattr(sd, name)) if inspect.isclass(getattr(sd, name)) else []
    for member, value in members:
        if not member.startswith("_") and inspect.isfunction(value) and value.__module__.startswith("synode_df"):
            assert inspect.getdoc(value), f"{name}.{member}"


def test_rooms_hand_on_names_that_exist() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        module = importlib.import_module(name_of(path))
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{module.__name__}.{name}"


def test_import_loads_no_heavy_library() -> None:
    code = "import sys, synode_df; print([m for m in ('pandera', 'pandas', 'faker', 'joblib', 'ipywidgets', 'plotly', 'nanoarrow') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
