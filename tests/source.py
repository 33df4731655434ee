"""Reads the project's own source, for the tests that hold its rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A module that is imported, with the names taken from it; `deep` inside a function, `typing` for types only."""

    module: str
    names: tuple[str, ...]
    deep: bool
    typing: bool


def files(folder: str) -> list[Path]:
    """Return the Python files of a folder of the project."""
    return sorted((ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    """Return the dotted name of a file, a package's own file included."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax of a file, parsed once for all who look at it; nobody changes it."""
    return ast.parse(path.read_bytes())


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Return everything a file imports, wherever in it."""
    return tuple(_imports(tree_of(path), deep=False, typing=False))


def _imports(node: ast.AST, *, deep: bool, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(module=alias.name, names=(), deep=deep, typing=typing)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports name their module in full"
        yield Import(module=node.module or "", names=tuple(a.name for a in node.names), deep=deep, typing=typing)
    deep = deep or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    typing = typing or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):  # which holds no statement
            yield from _imports(child, deep=deep, typing=typing)


def classes(path: Path) -> list[str]:
    """Return the names of the public classes of a file, wherever in it."""
    return [name for name in _classes(tree_of(path)) if not name.startswith("_")]


def _classes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield node.name
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from _classes(child)


def within(module: str, packages: tuple[str, ...]) -> bool:
    """Say whether a module is one of the packages or lies inside one."""
    return any(module == package or module.startswith(package + ".") for package in packages)


def modules_of(item: Import) -> list[str]:
    """Return the modules an import is after: ``from kpfootprint import report`` is after ``kpfootprint.report``."""
    modules = [f"{item.module}.{name}" for name in item.names if _is_module(f"{item.module}.{name}")]
    return modules if modules and len(modules) == len(item.names) else [item.module, *modules]


def source_of(module: str, name: str) -> str:
    """Return the module that a name comes from, behind the face of a package that hands it on."""
    if name and _is_module(f"{module}.{name}"):
        return f"{module}.{name}"
    face = ROOT / module.replace(".", "/") / "__init__.py"
    handed = [item.module for item in (imports(face) if face.is_file() else ()) if name in item.names]
    return source_of(handed[0], name) if handed else module


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()
