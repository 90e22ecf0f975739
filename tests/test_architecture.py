"""The arrows between the rooms, and the size of what stands in them."""

import ast
from pathlib import Path

import pytest

ALLOWED = {
    "core": {"core"},
    "models": {"core", "models"},
    "tasks": {"core", "models", "tasks", "training"},
    "flows": {"core", "models", "tasks", "training", "flows"},
    "training": {"core", "models", "training"},
}
ONLY_IN = {
    "prefect": {"flows", "tasks"},
    "torch": {"models", "training", "flows"},  # flows: the doctor asks torch for a device
    "lightning": {"training"},
    "decord": {"core"},
}
LONGEST = 300
MODULES = sorted(path for room in ALLOWED for path in Path(room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """First parts of all names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_follow_the_arrows(path):
    room = path.parts[0]
    names = imported(path)
    assert names & set(ALLOWED) <= ALLOWED[room]
    for package, rooms in ONLY_IN.items():
        assert package not in names or room in rooms, f"{room} must not import {package}"


def test_only_one_door_opens_decord():
    users = {str(path) for path in MODULES if "decord" in imported(path)}
    assert len(users) <= 1


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_modules_are_short_and_say_what_they_are_for(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "the first line must say what the module is for"


def test_no_module_is_a_drawer_for_everything():
    assert not [p for p in MODULES if p.stem in {"utils", "helpers", "common", "misc", "manager"}]
