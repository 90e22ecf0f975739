"""Text encoders are found by name, in a folder or on the hub, and are the ones meant."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from core.errors import WeightsError
from core.identity import sha256_of
from models import encoders, pretrained
from models.encoders import Encoder, Shape
from tests.tiny_encoder import DIMENSION, write_tiny_encoder

ROOT = Path(__file__).parents[2]
COMMIT = "c" * 40
FIND = (
    "import json, sys\nfrom core.errors import WeightsError\nfrom models import encoders\n"
    "try:\n    found = encoders.resolve(sys.argv[1])\n    print(json.dumps([str(found.folder), found.sha256]))\n"
    "except WeightsError as error:\n    sys.exit(str(error))\n"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny", vocabulary=30_600)


@pytest.fixture
def home(winnow_home, monkeypatch) -> Path:
    monkeypatch.delenv(pretrained.ALLOW_DOWNLOADS, raising=False)
    return winnow_home


@pytest.mark.parametrize("name", ["all-minilm-l6-v2", "minilm", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_encoder_that_winnow_carries_has_three_names(name, home):
    found = encoders.resolve(name)
    assert found.name == "all-minilm-l6-v2"
    assert found.sha256 == sha256_of(found.folder / encoders.WEIGHTS)
    assert encoders.shape(found) == Shape(vocabulary=30_522, dimension=384)


def test_a_folder_is_an_encoder_wherever_one_stands(tiny, home, monkeypatch):
    found = encoders.resolve(str(tiny))
    assert found == Encoder(str(tiny), tiny, sha256_of(tiny / encoders.WEIGHTS))
    assert encoders.shape(found) == Shape(vocabulary=30_600, dimension=DIMENSION)
    monkeypatch.chdir(tiny.parent)
    assert encoders.resolve("tiny") == encoders.resolve(tiny.as_uri()) == found


@pytest.mark.parametrize("file", encoders.FILES)
def test_a_folder_that_lacks_something_is_refused_with_what(file, tiny, home, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "broken")
    (folder / file).unlink()
    with pytest.raises(WeightsError, match=f"lacks {file}"):
        encoders.resolve(str(folder))


@pytest.mark.parametrize(
    "name", ["", "nobody", "/nowhere/at/all", "whisper-tiny.en", "../no-such-folder", "a/..", "org/name@"]
)
def test_what_names_no_encoder_is_refused_with_what_would(name, home):
    with pytest.raises(WeightsError, match=r"all-minilm-l6-v2, a folder .* org/name@revision"):
        encoders.resolve(name)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("org/tiny", "org--tiny"), ("org/tiny@v1.0", "org--tiny@v1.0"), ("org/tiny@refs/pr/1", "org--tiny@refs--pr--1")],
)
def test_a_repository_is_found_in_the_home_and_not_asked_for(name, folder, tiny, home):
    with pytest.raises(WeightsError, match=f"WINNOW_ALLOW_DOWNLOADS=1 .* into .*{folder}"):
        encoders.resolve(name)
    shutil.copytree(tiny, home / "weights" / folder)
    found = encoders.resolve(name)
    assert (found.name, found.folder, found.sha256) == (
        name,
        home / "weights" / folder,
        sha256_of(tiny / encoders.WEIGHTS),
    )


def test_an_encoder_that_has_changed_is_not_the_one_expected(tiny, home, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "changing")
    found = encoders.resolve(str(folder))
    assert encoders.expect(found.name, found.sha256, "trial@1") == found
    write_tiny_encoder(folder, seed=1)
    with pytest.raises(WeightsError, match="Loading trial@1: it was trained with"):
        encoders.expect(found.name, found.sha256, "trial@1")


@pytest.mark.parametrize("config", ['{"model_type": "t5"}', '{"model_type": "of nobody"}', "{"])
def test_what_is_no_encoder_of_texts_is_refused(config, tiny, home, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "other")
    (folder / "config.json").write_text(config)
    with pytest.raises(WeightsError, match="Reading .*config.json failed"):
        encoders.shape(encoders.resolve(str(folder)))


class Hub(http.server.ThreadingHTTPServer):
    """The few answers of the hub that a download needs."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.fetched = files, list[str]()
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        hub = self.server
        assert isinstance(hub, Hub)
        path, name = urlsplit(self.path).path, urlsplit(self.path).path.rsplit("/", 1)[1]
        if path == "/api/models/org/tiny/revision/v1":
            self._send(json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": []}).encode())
        elif path == f"/api/models/org/tiny/tree/{COMMIT}":
            listed = [
                {"type": "file", "path": name, "size": len(data), "oid": name} for name, data in hub.files.items()
            ]
            self._send(json.dumps(listed).encode())
        elif path == f"/org/tiny/resolve/{COMMIT}/{name}" and name in hub.files:
            if self.command == "GET":
                hub.fetched.append(name)
            self._send(hub.files[name])
        else:
            self._send(b"", 404)

    do_GET = do_HEAD

    def _send(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{len(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tiny) -> Iterator[Hub]:
    pickled = {"pytorch_model.bin": b"a pickle", "modeling.py": b"code"}
    server = Hub({file.name: file.read_bytes() for file in tiny.iterdir()} | pickled)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def found_by(hub: Hub, home: Path, name: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Resolve in a process of its own: the hub's address is read when its library is imported."""
    given = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and k != pretrained.ALLOW_DOWNLOADS}
    given |= {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(home / "hf"), **env}
    return subprocess.run(
        [sys.executable, "-c", FIND, name], cwd=ROOT, env=given, capture_output=True, text=True, timeout=120
    )


def test_a_repository_is_downloaded_once_and_only_if_that_is_allowed(hub, tiny, home):
    assert "WINNOW_ALLOW_DOWNLOADS=1" in found_by(hub, home, "org/tiny@v1").stderr
    assert not hub.fetched
    ran = found_by(hub, home, "org/tiny@v1", WINNOW_ALLOW_DOWNLOADS="1")
    assert ran.returncode == 0, ran.stderr
    folder = home / "weights" / "org--tiny@v1"
    assert json.loads(ran.stdout) == [str(folder), sha256_of(tiny / encoders.WEIGHTS)]
    assert set(encoders.FILES) < set(hub.fetched)
    assert not {"pytorch_model.bin", "modeling.py"} & {path.name for path in folder.rglob("*")}
    hub.fetched.clear()
    assert encoders.resolve("org/tiny@v1").folder == folder
    assert not hub.fetched


@pytest.mark.parametrize(
    ("name", "lacking", "said"),
    [
        pytest.param("org/tiny@v1", "model.safetensors", "holds no model.safetensors", id="only pickled weights"),
        pytest.param("org/nothing@v1", None, "Downloading the text encoder org/nothing@v1 failed", id="no repository"),
    ],
)
def test_what_cannot_be_downloaded_is_refused_and_leaves_nothing(name, lacking, said, hub, home):
    hub.files.pop(lacking, None)
    ran = found_by(hub, home, name, WINNOW_ALLOW_DOWNLOADS="1")
    assert (ran.returncode, said in ran.stderr, "Traceback" in ran.stderr) == (1, True, False), ran.stderr
    assert not list((home / "weights").glob("*"))
