"""Versions are numbered, complete and never written twice."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import RefusedInput, StoreError
from models import aliases, registering, registry, registry_files
from tests.models.registries import KNOWN, Bucket, put, safetensors


def test_what_is_registered_resolves_and_reads_back(root: str):
    parent = registry.resolve("baseline@1")
    files = {"model.safetensors": safetensors(b"1234"), "config.json": b"{}", "README.md": b"# By hand"}
    ref = registering.register(root, "mine", files, {**KNOWN, "metrics": {"vt": {"top3_f1": 45.5}}}, parent)
    assert registry.resolve("mine", [root]) == ref
    version = registry.read_version(ref)
    assert version.files == files
    assert version.manifest["metrics"] == {"vt": {"top3_f1": 45.5}}
    assert version.manifest["parent"] == {"name": "baseline", "version": "1", "sha256": parent.sha256}
    assert version.manifest["files"]["config.json"]["bytes"] == 2
    assert version.manifest["code_version"].startswith("winnow ")
    assert version.manifest["created_at"].endswith("+00:00")


def test_versions_are_numbered_and_stay_as_they_are(root: str):
    refs = [put(root, weights=weights) for weights in (b"a", b"b", b"c")]
    assert [ref.version for ref in refs] == ["1", "2", "3"]
    assert registry.versions(root, "mine") == ["1", "2", "3"]
    assert [registry.read_version(ref).files["model.safetensors"][-1:] for ref in refs] == [b"a", b"b", b"c"]
    assert put(root, "other").version == "1"


def test_a_version_without_a_card_gets_one_from_its_manifest(root: str):
    ref = put(root, metrics={"dev": {"top3_f1": 45.678}}, trained_on=["AMI", "QMSum"], consent="Research only.")
    card = registry.read_card(ref)
    assert card.startswith("# mine 1\n")
    assert {"Learned.", "- AMI", "| dev/top3_f1 | 45.68 |", "> Research only."} <= set(card.splitlines())


def test_a_name_that_ships_with_winnow_goes_on_counting_from_there(root: str):
    assert put(root, "baseline").version == "2"
    assert registry.resolve("baseline@1", [root, registry.BUILTIN]).uri == "builtin:baseline/1"


def test_a_deleted_version_is_not_given_out_again_while_a_later_one_stands(root: str):
    put(root)
    second = put(root)
    registry_files._remove([f"{root}/mine/1/{name}" for name in ("manifest.json", "README.md", "model.safetensors")])
    assert put(root).version == "3"
    assert registry.read_version(second)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({"model.pt": b""}, "no code", id="a pickle"),
        pytest.param({"model": b""}, "no code", id="anything"),
        pytest.param({"../x.json": b""}, "'../x.json'", id="a path"),
        pytest.param({"manifest.json": b""}, "manifest.json", id="a manifest"),
        pytest.param({"a.safetensors": safetensors()[:-1]}, "complete safetensors", id="cut weights"),
        pytest.param({"a.safetensors": b"\x80\x04K\x01."}, "complete safetensors", id="a pickle called safetensors"),
        pytest.param({"a.safetensors": b""}, "complete safetensors", id="empty weights"),
    ],
)
def test_files_that_do_not_belong_are_refused(files: dict[str, bytes], says: str, tmp_path: Path):
    with pytest.raises(RefusedInput, match=says):
        registering.register(str(tmp_path), "mine", files, KNOWN)
    assert list(tmp_path.iterdir()) == []


def test_real_safetensors_are_taken(tmp_path: Path):
    import numpy as np
    from safetensors.numpy import load, save

    data = save({"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0)}, metadata={"epoch": "3"})
    ref = registering.register(str(tmp_path), "mine", {"model.safetensors": data}, KNOWN)
    assert load(registry.read_version(ref).files["model.safetensors"])["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("name", "fields", "says"),
    [
        pytest.param("champion", {}, "an alias", id="an alias as a name"),
        pytest.param("../mine", {}, r"\.\./mine", id="a path as a name"),
        pytest.param(".hidden", {}, "hidden", id="a hidden name"),
        pytest.param("", {}, "''", id="no name"),
        pytest.param("mine", {"licence": " "}, "licence", id="no licence"),
        pytest.param("mine", {"version": "9"}, "version", id="a version of one's own"),
        pytest.param("mine", {"metrics": {"f1": float("nan")}}, "no JSON", id="a metric that is no number"),
        pytest.param("mine", {"metrics": {1, 2}}, "no JSON", id="a set"),
    ],
)
def test_names_and_manifests_that_cannot_be_are_refused(name: str, fields: dict[str, Any], says: str, tmp_path: Path):
    with pytest.raises(RefusedInput, match=says):
        registering.register(str(tmp_path), name, {}, {**KNOWN, **fields})
    assert list(tmp_path.iterdir()) == []


def test_what_ships_is_not_written():
    with pytest.raises(RefusedInput, match="ship"):
        put(registry.BUILTIN)
    with pytest.raises(RefusedInput, match="ship"):
        aliases.set_alias(registry.BUILTIN, "champion", registry.resolve("baseline"))


def test_a_name_in_a_bucket_that_does_not_exist_is_a_store_error(bucket: Bucket):
    assert registry.versions("s3://nobodys/models", "mine") == []
    with pytest.raises(StoreError, match="bucket"):
        put("s3://nobodys/models")


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        put(str(tmp_path / "file" / "models"))
