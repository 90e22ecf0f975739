"""Versions are numbered, complete and never written twice; aliases move without losing anybody's move.

Everything runs on a folder and on a bucket of a real S3 server spoken to over HTTP.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.errors import RefusedInput, StoreError, WeightsError
from models import aliases, registering, registry, registry_files
from tests.s3 import s3_bucket

ROOT = Path(__file__).parents[2]
KNOWN = {"kind": "highlight", "description": "Learned.", "licence": "Apache-2.0"}
RACERS = 4
EACH = 2


def safetensors(values: bytes = bytes(4)) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(values)], "data_offsets": [0, len(values)]}}).encode()
    return len(header).to_bytes(8, "little") + header + values


@dataclass
class Bucket:
    """A bucket on an S3 server of our own that answers one request at a time, and can be told to misbehave."""

    uri: str
    fault: Callable[[dict[str, Any]], str | None] | None = None
    """Asked about each request: "lose" does it and answers with an error, "deny" answers with one, "strip" forgets
    the request's conditions."""
    served: list[str] = field(default_factory=list)

    def door(self, app: Any) -> Any:
        def answer(environ: dict[str, Any], start: Any) -> Any:
            self.served.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            fault = self.fault(environ) if self.fault else None
            if fault == "strip":
                environ.pop("HTTP_IF_NONE_MATCH", None)
            if fault == "lose":
                b"".join(app(environ, lambda *_: None))
            if fault in ("lose", "deny"):
                start("500 Internal Server Error" if fault == "lose" else "403 Forbidden", [("Content-Length", "0")])
                return [b""]
            return app(environ, start)

        return answer


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

    bucket = Bucket("s3://registry")
    # One request at a time: moto decides a condition and writes in two steps, S3 does in one.
    app = bucket.door(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with s3_bucket(f"http://127.0.0.1:{server.server_port}", "registry"):
        yield bucket
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(s3: Bucket, tmp_path: Path) -> Iterator[Bucket]:
    """An empty place in the bucket, on a server that behaves until it is told otherwise."""
    before, s3.uri = s3.uri, f"{s3.uri}/{tmp_path.name}"
    yield s3
    s3.uri, s3.fault = before, None


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "models") if request.param == "folder" else request.getfixturevalue("bucket").uri


def put(root: str, name: str = "mine", weights: bytes = b"1234", **fields: Any) -> registry.ModelRef:
    return registering.register(root, name, {"model.safetensors": safetensors(weights)}, {**KNOWN, **fields})


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


RACE = f"""
import json, sys
from core.errors import StoreError
from models import aliases, registering, registry
who, root = sys.argv[1:]
shipped, fields = registry.resolve("champion"), {{"kind": "k", "description": who, "licence": "l"}}
files = {{"a.txt": who.encode() * 100_000, "b.txt": who.encode()}}
print("ready", flush=True)
sys.stdin.read(1)
refs = [registering.register(root, "mine", files, fields) for _ in range({EACH})]
try:
    aliases.set_alias(root, "champion", refs[0], expected=shipped)
    won = True
except StoreError as error:
    assert "no longer to baseline@1" in str(error), error
    won = False
for number, ref in enumerate(refs):
    aliases.set_alias(root, f"alias-{{who}}-{{number}}", ref)
print(json.dumps({{"versions": [ref.version for ref in refs], "won": won}}))
"""


@dataclass
class Raced:
    """What processes said that registered versions and moved aliases in the same root at the same time."""

    root: str
    said: list[dict[str, Any]]


@pytest.fixture(scope="module", params=["folder", "bucket"])
def raced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Raced:
    root = str(tmp_path_factory.mktemp("race"))
    if request.param == "bucket":
        root = f"{request.getfixturevalue('s3').uri}/race"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(who), root],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for who in range(RACERS)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("g")
        racer.stdin.flush()
    said = [racer.communicate(timeout=120)[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * RACERS
    return Raced(root, [json.loads(line) for line in said])


def test_processes_that_race_each_get_versions_of_their_own(raced: Raced):
    got = {version: str(who) for who, said in enumerate(raced.said) for version in said["versions"]}
    assert sorted(map(int, got)) == list(range(1, EACH * RACERS + 1)), "each number once, none left out"
    assert registry.versions(raced.root, "mine") == sorted(got, key=int)
    for version, who in got.items():
        read = registry.read_version(registry.resolve(f"mine@{version}", [raced.root]))
        assert read.manifest["description"] == who
        assert set(read.files["a.txt"] + read.files["b.txt"]) == set(who.encode())


def test_processes_that_race_for_an_alias_find_one_winner(raced: Raced):
    (winner,) = [said["versions"][0] for said in raced.said if said["won"]]
    assert registry.resolve("champion", [raced.root]).version == winner


def test_processes_that_move_different_aliases_lose_none(raced: Raced):
    found = registry.aliases(raced.root)
    for who, said in enumerate(raced.said):
        for number, version in enumerate(said["versions"]):
            assert found[f"alias-{who}-{number}"] == f"mine@{version}"


@pytest.mark.parametrize("weights", [b"slow", b"fast"], ids=["other content", "the same content"])
def test_a_process_that_waited_before_writing_cannot_have_the_number_it_had_in_mind(
    root: str, weights: bytes, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def overtaken(where: str, name: str) -> int:
        asked.append(name)
        if len(asked) == 1:
            put(where, weights=b"fast", created_at="today")  # another trainer starts and finishes meanwhile
        return 1

    monkeypatch.setattr(registering, "_next_number", overtaken)
    slow = put(root, weights=weights, created_at="today")
    monkeypatch.undo()
    assert slow.version == "2"
    assert registry.read_version(registry.resolve("mine@1", [root])).files["model.safetensors"].endswith(b"fast")
    assert registry.read_version(slow).files["model.safetensors"].endswith(weights)


def test_a_change_that_begins_during_another_is_not_lost(root: str):
    place, others = f"{root}/notes.txt", []

    def ours(content: bytes | None) -> bytes:
        if not others:
            others.append(
                threading.Thread(target=registry_files.change, args=(place, lambda c: (c or b"") + b"theirs "))
            )
            others[0].start()
            others[0].join(0.5)  # long enough to get through, where nothing holds it back
        return (content or b"") + b"ours "

    registry_files.change(place, ours)
    others[0].join()
    assert sorted(registry_files.read(place).split()) == [b"ours", b"theirs"]


@pytest.mark.parametrize("last", ["model.safetensors", "manifest.json"])
def test_a_trainer_that_is_killed_while_writing_leaves_no_version(root: str, last: str):
    put(root)
    script = (
        "import os, signal, sys\n"
        "from models import registering, registry_files\n"
        "root, last = sys.argv[1:]\n"
        "def dying(write):\n"
        "    def write_or_die(place, data):\n"
        "        if str(place).endswith(last): os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return write(place, data)\n"
        "    return write_or_die\n"
        "registry_files.create = dying(registry_files.create)\n"
        "registry_files.write_atomically = dying(registry_files.write_atomically)\n"
        "registering.register(root, 'mine', {'model.safetensors': bytes.fromhex('02000000000000007b7d')},\n"
        "                    {'kind': 'k', 'description': 'd', 'licence': 'l'})\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, root, last], cwd=ROOT, timeout=60)
    assert ran.returncode == -9
    assert registry.resolve("mine", [root]).version == "1"
    assert registry.versions(root, "mine") == ["1"]
    after = put(root)
    assert registry.resolve("mine", [root]) == after
    assert registry.problems(after) == []


def test_what_killed_trainers_left_in_a_folder_is_swept_a_day_later(tmp_path: Path):
    fresh, stale = tmp_path / "mine" / ".writing-a", tmp_path / "mine" / ".writing-b"
    for left in (fresh, stale):
        left.mkdir(parents=True)
        (left / "model.safetensors").write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(stale, (two_days_ago, two_days_ago))
    put(str(tmp_path))
    assert fresh.exists()
    assert not stale.exists()


@pytest.mark.parametrize("what", ["/.claims/1", "/model.safetensors", "/manifest.json"])
def test_a_write_whose_answer_is_lost_still_is_one_version(bucket: Bucket, what: str):
    lost: list[str] = []

    def lose_once(environ: dict[str, Any]) -> str | None:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith(what) and not lost:
            lost.append(what)
            return "lose"
        return None

    bucket.fault = lose_once
    ref = put(bucket.uri)
    assert lost
    assert ref.version == "1"
    assert registry.problems(ref) == []


def test_an_alias_moved_by_a_request_whose_answer_is_lost_is_moved_once(bucket: Bucket):
    first, second = put(bucket.uri), put(bucket.uri)
    aliases.set_alias(bucket.uri, "champion", first)
    lost: list[str] = []

    def lose_once(environ: dict[str, Any]) -> str | None:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith("aliases.json") and not lost:
            lost.append("lost")
            return "lose"
        return None

    bucket.fault = lose_once
    aliases.set_alias(bucket.uri, "champion", second, expected=first)
    assert lost
    assert registry.resolve("champion", [bucket.uri]) == second
    assert aliases.rollback(bucket.uri) == first


def test_an_upload_that_fails_leaves_nothing_that_counts(bucket: Bucket):
    bucket.fault = lambda environ: (
        "deny" if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith("/model.safetensors") else None
    )
    with pytest.raises(StoreError, match=r"model\.safetensors"):
        put(bucket.uri)
    bucket.fault = None
    assert registry.versions(bucket.uri, "mine") == []
    assert registry.versions(bucket.uri, "mine", unfinished=True) == []
    assert put(bucket.uri).version == "2"


def test_a_storage_that_ignores_conditions_is_refused(bucket: Bucket):
    bucket.fault = lambda environ: "strip" if environ["REQUEST_METHOD"] == "PUT" else None
    with pytest.raises(StoreError, match="If-None-Match"):
        put(bucket.uri)
    assert registry.versions(bucket.uri, "mine") == []


def test_a_registry_that_does_not_answer_is_told_in_a_sentence(bucket: Bucket):
    put(bucket.uri)
    bucket.fault = lambda environ: "deny"
    with pytest.raises((StoreError, WeightsError), match=bucket.uri):
        registry.resolve("mine", [bucket.uri])
    with pytest.raises((StoreError, WeightsError), match=bucket.uri):
        registry.resolve("champion", [bucket.uri, registry.BUILTIN])


def test_what_another_process_registers_is_seen_by_one_that_has_looked_before(bucket: Bucket):
    put(bucket.uri)
    assert registry.resolve("mine", [bucket.uri]).version == "1"
    assert registry.names(bucket.uri) == ["mine"]
    script = (
        "import sys\nfrom models import aliases, registering\n"
        "fields = {'kind': 'k', 'description': 'd', 'licence': 'l'}\n"
        "registering.register(sys.argv[1], 'theirs', {}, fields)\n"
        "aliases.set_alias(sys.argv[1], 'champion', registering.register(sys.argv[1], 'mine', {}, fields))\n"
    )
    subprocess.run([sys.executable, "-c", script, bucket.uri], cwd=ROOT, check=True, timeout=60)
    assert registry.resolve("mine", [bucket.uri]).version == "2"
    assert registry.resolve("champion", [bucket.uri]).version == "2"
    assert registry.names(bucket.uri) == ["mine", "theirs"]


def test_any_fsspec_file_system_will_do(tmp_path: Path):
    root = f"memory://{tmp_path.name}"
    first, second = put(root), put(root)
    aliases.set_alias(root, "champion", first)
    aliases.set_alias(root, "champion", second, expected=first)
    assert registry.resolve("champion", [root]) == second
    assert aliases.rollback(root) == first


def test_an_alias_moves_and_goes_back_step_by_step(root: str):
    first, second, third = (put(root) for _ in range(3))
    for ref in (first, second, third):
        aliases.set_alias(root, "champion", ref)
    assert registry_files.read(f"{root}/aliases.json") == b'{\n  "champion": "mine@3"\n}'
    assert aliases.rollback(root) == second
    assert aliases.rollback(root) == first
    assert aliases.rollback(root).uri == "builtin:baseline/1", "what champion meant before it was first set here"
    with pytest.raises(RefusedInput, match="no earlier version"):
        aliases.rollback(root)
    assert [move.to for move in aliases.history(root, "champion")] == [
        "mine@1", "mine@2", "mine@3", "mine@2", "mine@1", "baseline@1",
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
    with pytest.raises(StoreError, match="points to mine@1 and no longer to baseline@1"):
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
