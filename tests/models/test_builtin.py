"""The versions that ship with Winnow: whole, described, and able to tell a statement from a filler."""

import json

import pytest

from core.timeline import build_text_timeline
from models import registry

SHIPPED = [
    f"{name}@{version}"
    for name in registry.names(registry.BUILTIN)
    for version in registry.versions(registry.BUILTIN, name)
]
SAID = [
    "OK.",
    "So.",
    "Gradient descent follows the negative gradient of the loss to find a minimum.",
    "Can you hear me?",
    "A kernel method maps the data into a space in which a linear classifier separates the two classes.",
    "Let me see.",
    "Um, yeah.",
]


@pytest.mark.parametrize("reference", SHIPPED)
def test_every_file_is_what_the_manifest_says_and_the_card_tells_what_it_is(reference):
    ref = registry.resolve(reference)
    assert registry.problems(ref) == []
    assert len(registry.read_card(ref)) > 300
    assert '"/' not in json.dumps(registry.read_manifest(ref)), "a path of the machine it was made on"


def test_statements_beat_fillers():
    scores = registry.load(registry.resolve("lecture"), threads=1).predict(build_text_timeline(SAID)).highlight
    assert min(scores[2], scores[4]) > max(scores[k] for k in (0, 1, 3, 5, 6))


def test_what_may_not_be_used_commercially_asks_first():
    assert "not for commercial use" in registry.read_manifest(registry.resolve("lecture"))["consent"]
    assert "consent" not in registry.read_manifest(registry.resolve("champion"))
