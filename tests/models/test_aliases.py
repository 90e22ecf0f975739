"""Aliases move, remember, and go back, without losing anybody's move."""

from pathlib import Path

import pytest

from core.errors import RefusedInput, StoreError
from models import aliases, registry, registry_files
from tests.models.registries import put


def test_an_alias_moves_and_goes_back_step_by_step(root: str):
    first, second, third = (put(root) for _ in range(3))
    for ref in (first, second, third):
        aliases.set_alias(root, "champion", ref)
    assert registry_files.read(f"{root}/aliases.json") == b'{\n  "champion": "mine@3"\n}'
    assert aliases.rollback(root) == second
    assert aliases.rollback(root) == first
    assert aliases.rollback(root) == registry.resolve("champion", [registry.BUILTIN]), (
        "what champion meant before it was first set here"
    )
    with pytest.raises(RefusedInput, match="no earlier version"):
        aliases.rollback(root)
    assert [move.to for move in aliases.history(root, "champion")] == [
        "mine@1", "mine@2", "mine@3", "mine@2", "mine@1", "open@1",
    ]  # fmt: skip


def test_a_rollback_and_a_new_move_forget_what_was_rolled_back(root: str):
    first, second, third = (put(root) for _ in range(3))
    aliases.set_alias(root, "best", first)
    aliases.set_alias(root, "best", second)
    aliases.rollback(root, "best")
    aliases.set_alias(root, "best", third)
    assert aliases.rollback(root, "best") == first


def test_aliases_have_histories_of_their_own(root: str):
    first, second = put(root), put(root)
    for ref in (first, second):
        aliases.set_alias(root, "champion", ref)
        aliases.set_alias(root, "challenger", ref)
    aliases.rollback(root, "challenger")
    assert registry.aliases(root) == {"challenger": "mine@1", "champion": "mine@2"}


def test_pointing_an_alias_to_where_it_points_changes_nothing(root: str):
    first, second = put(root), put(root)
    for ref in (first, second, second, second):
        aliases.set_alias(root, "champion", ref)
    assert len(aliases.history(root, "champion")) == 2
    assert aliases.rollback(root) == first


def test_a_move_that_was_logged_and_never_made_does_not_mislead_a_rollback(root: str):
    first, second, third = (put(root) for _ in range(3))
    for ref in (first, second):
        aliases.set_alias(root, "champion", ref)
    killed = aliases.AliasMove("champion", "mine@3", ("mine@2", "mine@1"), "set", "2030-01-01T00:00:00+00:00")
    aliases._log(root, killed)
    registry_files.create(f"{root}/.alias-log/champion/000099.json", b"{")
    assert aliases.rollback(root) == first
    aliases.set_alias(root, "champion", third)
    assert aliases.rollback(root) == first


def test_an_alias_written_by_hand_is_what_the_next_move_returns_to(root: str):
    put(root)
    second = put(root)
    registry_files.change(f"{root}/aliases.json", lambda _: b'{"champion": "mine@1"}')
    with pytest.raises(RefusedInput, match="no earlier version"):
        aliases.rollback(root)
    aliases.set_alias(root, "champion", second)
    assert aliases.rollback(root).version == "1"


def test_compare_and_swap_knows_the_alias_that_ships(root: str):
    first = put(root)
    shipped = registry.resolve("champion")
    aliases.set_alias(root, "champion", first, expected=shipped)
    with pytest.raises(StoreError, match="points to mine@1 and no longer to open@1"):
        aliases.set_alias(root, "champion", shipped, expected=shipped)
    with pytest.raises(StoreError, match="points to nothing"):
        aliases.set_alias(root, "challenger", first, expected=shipped)
    assert registry.aliases(root) == {"champion": "mine@1"}


def test_an_alias_points_only_to_what_the_root_knows(root: str, tmp_path: Path):
    elsewhere = put(str(tmp_path / "elsewhere"))
    put(root, weights=b"another")
    with pytest.raises(RefusedInput, match="mine@1"):
        aliases.set_alias(root, "champion", elsewhere)
    assert registry.aliases(root) == {}


@pytest.mark.parametrize("alias", ["", "a/b", "..", "mine", "baseline", "a@1"])
def test_aliases_that_cannot_be_are_refused(alias: str, tmp_path: Path):
    ref = put(str(tmp_path))
    with pytest.raises(RefusedInput, match="alias"):
        aliases.set_alias(str(tmp_path), alias, ref)


def test_damaged_aliases_are_not_overwritten(tmp_path: Path):
    ref = put(str(tmp_path))
    (tmp_path / "aliases.json").write_text("{")
    with pytest.raises(StoreError, match=r"aliases\.json"):
        aliases.set_alias(str(tmp_path), "champion", ref)
    assert (tmp_path / "aliases.json").read_text() == "{"


def test_a_rollback_to_a_version_that_is_gone_moves_nothing(tmp_path: Path):
    first, second = put(str(tmp_path)), put(str(tmp_path))
    for ref in (first, second):
        aliases.set_alias(str(tmp_path), "champion", ref)
    (Path(first.uri) / "manifest.json").unlink()
    with pytest.raises(RefusedInput, match="mine@1 before"):
        aliases.rollback(str(tmp_path))
    assert registry.aliases(str(tmp_path)) == {"champion": "mine@2"}
