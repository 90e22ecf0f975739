"""Processes that race, die or lose answers while they register leave whole versions, and lose nobody's move."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import StoreError, WeightsError
from models import aliases, registering, registry, registry_files
from tests.models.registries import Bucket, put

ROOT = Path(__file__).parents[2]
RACERS = 4
EACH = 2


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
    assert f"no longer to {{shipped.name}}@{{shipped.version}}" in str(error), error
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
