"""The house's own rules: data flows one way, each module says where it stands, what is exported is there."""

from __future__ import annotations

import ast
from importlib import import_module
from inspect import isfunction
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pipelines" / "mithril_elt"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What stands on what: a module may import from those to its left, never from those to its right.
LAYERS = (
    ("visible", "secret"),
    ("errors", "instants", "log_facts", "memory"),
    ("whole_files",),
    ("endpoints", "tables", "postgres", "objects", "place"),
    ("csv_rows", "quoting", "batches", "decode", "wire", "limits", "settings", "windows", "layout"),
    ("raw_files", "raw_views", "warehouse", "lock", "findings"),
    ("paging", "rows", "columns", "wanted", "transport", "migration", "postgres_loads"),
    ("sending", "webhook"),
    ("client",),
    ("api",),
    ("lists", "histories", "past"),
    ("probe",),
    ("orders", "ledger", "open_periods", "held", "held_files", "plans", "sizing", "packing", "read_so_far"),
    ("asking", "rechecks", "reading"),
    ("history_reading",),
    ("resources",),
    ("source", "pipeline"),
    ("load", "recovery", "forecast", "compaction", "rewriting"),
    ("dbt_project", "raw_copies"),
    ("moving", "transform"),
    ("acceptance",),
    ("reports", "frames", "mart_docs", "freshness"),
    ("opened",),
    ("exploring",),
    ("budgets", "acting"),
    ("dashboard",),
    ("focus",),
    ("sandbox",),
    ("cli",),
    ("__main__", "__init__"),
)
WITH_EXTRAS = {"postgres_loads"}  # cannot be imported here; the tests in warehouses/ stand on it
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def part(module: Path) -> str:
    """The room that a module is in: its own name, or the package's inside the package."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(module: Path) -> set[str]:
    """The rooms of this package that a module imports from, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("mithril_elt.")}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_imports_go_one_way(module: Path) -> None:
    """endpoints → client → source → load → … → cli: nothing imports what comes after it."""
    here = part(module)
    assert here in RANK, f"{here} has no place in LAYERS"
    later = {name for name in imported(module) if RANK[name] > RANK[here]}
    assert later == set()
    peers = {name for name in imported(module) if RANK[name] == RANK[here] and name != here}
    assert not any(here in imported(PACKAGE / f"{peer}.py") for peer in peers if (PACKAGE / f"{peer}.py").exists())


def test_the_sandbox_knows_the_warehouse_only_in_its_audit() -> None:
    """The true figures share nothing with what they are held against."""
    allowed = {"errors", "instants", "sandbox"}
    strange = {m.name for m in MODULES if part(m) == "sandbox" and imported(m) - allowed}
    assert strange == {"audit.py"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_each_module_says_where_it_stands_and_what_it_offers(module: Path) -> None:
    """A docstring first, `__all__` if it offers anything, and every name in it is there and has a docstring."""
    tree = ast.parse(module.read_text())
    assert ast.get_docstring(tree)
    if module.stem in WITH_EXTRAS:
        return
    name = ".".join(("mithril_elt", *module.relative_to(PACKAGE).with_suffix("").parts))
    loaded = import_module(name.removesuffix(".__init__")) if module.name != "__main__.py" else None
    offered = getattr(loaded, "__all__", [])
    assert offered or not any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in tree.body)
    for each in offered:
        value = getattr(loaded, each)
        described = value.__doc__ if isinstance(value, type) or isfunction(value) else "a value"
        assert described, f"{each} has no docstring"


def test_names_that_fit_anything_fit_nothing() -> None:
    """No module is called utils, helpers, common or misc."""
    assert {m.stem for m in MODULES} & {"utils", "util", "helpers", "helper", "common", "misc"} == set()


def test_no_floats_where_money_or_time_flows() -> None:
    """`float` is said in no module but where a line says why it is exact or harmless."""
    strange = []
    for module in MODULES:
        for number, line in enumerate(module.read_text().splitlines(), 1):
            code = line.split("#")[0]
            if ("float(" in code or ": float" in code or "-> float" in code) and "exact-ok" not in line:
                strange.append(f"{module.name}:{number}: {line.strip()}")
    assert strange == []


def test_one_door_to_the_terminal() -> None:
    """Only `cli/saying` prints: there what others wrote is made harmless, and the key is taken out."""
    said = {
        module.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _PRINTING
    }
    assert said == {"saying.py"}


_PRINTING = {"print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write", "traceback.print_exc"}
