"""A reference means one version, and only the bytes that its hash was made of load."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import RefusedInput, StoreError, WeightsError, WinnowError
from models import registry
from models.baseline import Baseline


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A registry of one's own that holds a copy of the built-in one."""
    shutil.copytree(registry.BUILTIN_FOLDER, tmp_path / "models")
    return tmp_path / "models"


def write_version(root: Path, name: str, version: str, kind: str = "baseline", card: bytes = b"A card.") -> None:
    folder = root / name / version
    folder.mkdir(parents=True)
    (folder / "README.md").write_bytes(card)
    files = {"README.md": {"sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)}}
    manifest = {"name": name, "version": version, "kind": kind, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("reference", ["baseline", "baseline@1", " baseline "])
def test_names_and_versions_lead_to_the_built_in_baseline(reference: str):
    ref = registry.resolve(reference)
    assert (ref.name, ref.version, ref.uri) == ("baseline", "1", "builtin:baseline/1")
    assert isinstance(registry.load(ref, threads=1), Baseline)


def test_the_champion_that_ships_is_free_of_consent():
    ref = registry.resolve("champion", [registry.BUILTIN])
    manifest = registry.read_manifest(ref)
    assert ref.name == "open" and manifest["kind"] == "highlight"
    assert not manifest.get("consent")


@pytest.mark.parametrize(
    "reference", ["nobody", "baseline@2", "", "@", "baseline@", "@1", "../baseline", "baseline@../1", "aliases.json"]
)
def test_an_unknown_reference_is_refused_with_what_there_is(reference: str):
    with pytest.raises(RefusedInput, match="champion, about@1, baseline@1"):
        registry.resolve(reference)


def test_every_shipped_version_verifies_and_says_what_it_is():
    version = registry.read_version(registry.resolve("baseline@1"))
    assert set(version.files) == {"README.md", "config.json"}
    assert version.manifest["trained_on"] == []
    assert version.manifest["licence"] == "Apache-2.0"


def test_the_encoder_it_names_is_the_pinned_one():
    from models import pretrained

    named = registry.read_version(registry.resolve("baseline@1")).manifest["encoder"]
    weights = pretrained.locate(named["name"]) / named["file"]
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == named["sha256"]


def test_the_newest_version_is_the_greatest_number(root: Path):
    for version in ("2", "10", "9", "draft"):
        write_version(root, "other", version)
    assert registry.resolve("other", [str(root)]).version == "10"


def test_the_first_root_that_knows_a_reference_decides(root: Path, tmp_path: Path):
    write_version(tmp_path / "first", "other", "1")
    (tmp_path / "first" / "aliases.json").write_text(json.dumps({"champion": "other@1"}))
    roots = [str(tmp_path / "first"), registry.BUILTIN]
    assert registry.resolve("champion", roots).name == "other"
    assert registry.resolve("baseline", roots).uri == "builtin:baseline/1"


def test_an_alias_that_leads_nowhere_is_refused(root: Path):
    (root / "aliases.json").write_text(json.dumps({"champion": "gone@3"}))
    with pytest.raises(RefusedInput, match="champion"):
        registry.resolve("champion", [str(root)])


def test_an_alias_may_name_a_version_of_another_root(tmp_path: Path):
    (tmp_path / "aliases.json").write_text(json.dumps({"champion": "baseline@1"}))
    assert registry.resolve("champion", [str(tmp_path), registry.BUILTIN]).uri == "builtin:baseline/1"


def test_an_alias_means_the_version_of_its_own_root_first(root: Path, tmp_path: Path):
    write_version(tmp_path / "first", "other", "1", card=b"First.")
    write_version(root, "other", "1", card=b"Second.")
    (root / "aliases.json").write_text(json.dumps({"mine": "other@1"}))
    roots = [str(tmp_path / "first"), str(root)]
    assert registry.resolve("mine", roots).uri == f"{root}/other/1"
    assert registry.resolve("other@1", roots).uri == f"{tmp_path}/first/other/1"


def test_an_alias_that_leads_nowhere_does_not_fall_back_to_another_root(root: Path):
    (root / "aliases.json").write_text(json.dumps({"champion": "gone@3"}))
    with pytest.raises(RefusedInput, match="gone@3"):
        registry.resolve("champion", [str(root), registry.BUILTIN])


@pytest.mark.parametrize("content", [b"", b"[]", b'{"champion": 1}', b"\xff"])
def test_damaged_aliases_are_told_and_not_passed_over(root: Path, content: bytes):
    (root / "aliases.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"aliases\.json"):
        registry.resolve("champion", [str(root), registry.BUILTIN])
    assert registry.resolve("baseline", [str(root)]).version == "1"


def test_a_version_without_its_manifest_does_not_exist(root: Path):
    write_version(root, "other", "1")
    write_version(root, "other", "2")
    (root / "other" / "2" / "manifest.json").unlink()
    assert registry.resolve("other", [str(root)]).version == "1"
    with pytest.raises(RefusedInput, match="other@2"):
        registry.resolve("other@2", [str(root)])
    assert registry.versions(str(root), "other", unfinished=True) == ["2"]


def test_every_broken_file_of_a_version_is_told(root: Path):
    ref = registry.resolve("baseline", [str(root)])
    assert registry.problems(ref) == []
    (root / "baseline" / "1" / "config.json").write_bytes(b"{}")
    (root / "baseline" / "1" / "README.md").unlink()
    found = registry.problems(ref)
    assert len(found) == 2
    assert "README.md cannot be read" in found[0]
    assert "config.json has sha256" in found[1]


def test_the_card_is_read_and_verified(root: Path):
    ref = registry.resolve("baseline", [str(root)])
    assert registry.read_card(ref).startswith("# baseline 1")
    (root / "baseline" / "1" / "README.md").write_bytes(b"Praise.")
    with pytest.raises(WeightsError, match=r"README\.md has sha256"):
        registry.read_card(ref)


@pytest.mark.parametrize(
    ("named", "root"),
    [
        pytest.param("", "{home}/models", id="unset: in the home folder"),
        pytest.param("s3://bucket/models", "s3://bucket/models", id="a bucket"),
        pytest.param("/srv/models", "/srv/models", id="a folder"),
        pytest.param("~/models", "{user}/models", id="a folder of the user's"),
    ],
)
def test_the_users_registry_is_asked_first(named: str, root: str, winnow_home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WINNOW_REGISTRY", named)
    assert registry.roots() == (root.format(home=winnow_home, user=Path.home()), "builtin:")


@pytest.mark.parametrize("root", ["nosuch://bucket/models", "s3://"])
def test_a_registry_that_cannot_be_opened_is_told_in_a_sentence(root: str):
    with pytest.raises(WinnowError, match=root):
        registry.resolve("baseline", [root])


def test_any_fsspec_root_will_do():
    import fsspec

    files = fsspec.filesystem("memory")
    for path in registry.BUILTIN_FOLDER.rglob("*.*"):
        if path.is_file():
            files.pipe_file(f"/shelf/{path.relative_to(registry.BUILTIN_FOLDER).as_posix()}", path.read_bytes())
    ref = registry.resolve("champion", ["memory://shelf"])
    assert ref.sha256 == registry.resolve("champion").sha256
    assert set(registry.read_version(ref).files) == {"README.md", "config.json", "model.safetensors"}


def test_a_changed_file_does_not_load(root: Path):
    ref = registry.resolve("baseline", [str(root)])
    config = root / "baseline" / "1" / "config.json"
    config.write_bytes(config.read_bytes().replace(b"0.75", b"0.76"))
    with pytest.raises(WeightsError, match="config.json has sha256"):
        registry.load(ref, threads=1)


def test_a_manifest_changed_to_match_does_not_load_under_the_old_reference(root: Path):
    ref = registry.resolve("baseline", [str(root)])
    path = root / "baseline" / "1" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "description": "another"}))
    with pytest.raises(WeightsError, match="should have"):
        registry.load(ref, threads=1)


def test_the_layout_of_the_manifest_does_not_count(root: Path):
    path = root / "baseline" / "1" / "manifest.json"
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    assert registry.resolve("baseline", [str(root)]).sha256 == registry.resolve("baseline").sha256


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"name": "baseline", "version": "7"}'])
def test_a_manifest_that_is_none_is_refused(root: Path, content: bytes):
    (root / "baseline" / "1" / "manifest.json").write_bytes(content)
    with pytest.raises(WeightsError, match="manifest of baseline@1"):
        registry.resolve("baseline@1", [str(root)])


def test_missing_files_are_told_by_name(root: Path):
    ref = registry.resolve("baseline", [str(root)])
    (root / "baseline" / "1" / "config.json").unlink()
    with pytest.raises(WeightsError, match="config.json cannot be read"):
        registry.load(ref, threads=1)
    with pytest.raises(WeightsError, match="manifest"):
        registry.load(replace(ref, uri=str(root / "moved")), threads=1)


def test_a_manifest_cannot_point_outside_its_version(root: Path):
    write_version(root, "sly", "1")
    path = root / "sly" / "1" / "manifest.json"
    path.write_text(path.read_text().replace("README.md", "../../aliases.json"))
    with pytest.raises(WeightsError, match="plain file name"):
        registry.read_version(registry.resolve("sly", [str(root)]))


def test_a_kind_from_the_future_is_refused(root: Path):
    write_version(root, "new", "1", kind="oracle")
    with pytest.raises(WeightsError, match="oracle"):
        registry.load(registry.resolve("new", [str(root)]), threads=1)


def test_a_config_from_the_future_is_refused(root: Path):
    folder = root / "baseline" / "1"
    config = json.dumps({"unheard_of": {"value": 1}}).encode()
    (folder / "config.json").write_bytes(config)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["config.json"]["sha256"] = hashlib.sha256(config).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="config.json"):
        registry.load(registry.resolve("baseline", [str(root)]), threads=1)
