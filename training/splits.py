"""Splits by recording, the same on every machine, and the texts that stand on both sides of a split all the same."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.lectures import LabelledLecture

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}
BETWEEN_WORDS = r"[^\pL\pM\pN]+"
Kind = Literal["id", "recording", "clip"]


def split_of(key: str, shares: Mapping[str, float] = SHARES, salt: str = "") -> str:
    """The split that a recording falls into: it depends on `key` and `salt` alone, not on the other recordings.

    Args:
        key: The recording's id, or what it shares with recordings that must not be parted (a series, a speaker).
        shares: Expected share of each split, positive; they need not sum to 1.
        salt: Another one gives another split.
    """
    if not shares or min(shares.values()) <= 0:
        raise ValueError(f"shares must be positive, got {dict(shares)}")
    digest = hashlib.sha256(f"{salt}\0{key}".encode(errors="surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * sum(shares.values())
    names = list(shares)
    ends = np.cumsum([shares[name] for name in names])
    return names[min(int(np.searchsorted(ends, place, side="right")), len(names) - 1)]


def split_by_recording(
    lectures: Iterable[LabelledLecture],
    shares: Mapping[str, float] = SHARES,
    salt: str = "",
    key_of: Callable[[str], str] | None = None,
) -> dict[str, list[LabelledLecture]]:
    """Every lecture in the split of its recording, in the order given; every split of `shares` is there.

    Args:
        key_of: What of a recording's id decides, such as `training.meetings.series`; None for the id itself.
    """
    found: dict[str, list[LabelledLecture]] = {name: [] for name in shares}
    for lecture in lectures:
        key = key_of(lecture.recording) if key_of else lecture.recording
        found[split_of(key, shares, salt)].append(lecture)
    return found


def normalised(texts: Sequence[str] | pa.ChunkedArray) -> list[str]:
    """The words of each text in lower case with single spaces between them: what counts as the same text."""
    column = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts], type=pa.large_string())
    words = pc.replace_substring_regex(pc.utf8_lower(column), BETWEEN_WORDS, " ")  # pyright: ignore[reportAttributeAccessIssue]
    return pc.utf8_trim_whitespace(words).to_pylist()  # pyright: ignore[reportAttributeAccessIssue]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What stands in two splits and should stand in one."""

    kind: Kind
    """"id": the same recording; "recording": all that is said in one; "clip": all that is said in a labelled clip."""
    splits: tuple[str, str]
    places: tuple[str, str]
    """Where it stands first in either split: "source/recording", or "source/recording/clip"."""


def find_duplicates(splits: Mapping[str, Sequence[LabelledLecture]]) -> list[Duplicate]:
    """Ids, recordings and clips that stand in more than one split, by their normalised text: one entry a pair.

    Texts without a word are no duplicates of each other. The list is empty where the splits share nothing.
    """
    placed: dict[Kind, dict[str, dict[str, str]]] = {"id": {}, "recording": {}, "clip": {}}
    for name, lectures in splits.items():
        ids = [f"{lecture.source}/{lecture.recording}" for lecture in lectures]
        placed["id"][name] = {found: found for found in ids}
        placed["recording"][name] = _placed(ids, [" ".join(lecture.sentences) for lecture in lectures])
        clips = [clip for lecture in lectures for clip in _clip_texts(lecture)]
        placed["clip"][name] = _placed([place for place, _ in clips], [text for _, text in clips])
    return [
        Duplicate(kind, (first, second), (place, places[second][text]))
        for kind, places in placed.items()
        for first, second in combinations(splits, 2)
        for text, place in places[first].items()
        if text in places[second]
    ]


def report(duplicates: Sequence[Duplicate], examples: int = 3) -> str:
    """What was found, for people: a line for each kind and pair of splits, with some examples."""
    lines = []
    for kind, splits in dict.fromkeys((found.kind, found.splits) for found in duplicates):
        pairs = [found.places for found in duplicates if (found.kind, found.splits) == (kind, splits)]
        shown = ", ".join(f"{first} and {second}" for first, second in pairs[:examples])
        lines.append(f"the same {kind} in {splits[0]} and {splits[1]}: {len(pairs)}, such as {shown}")
    return "\n".join(lines) or "the splits share nothing"


def _placed(places: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """The first place of each normalised text that has a word."""
    found: dict[str, str] = {}
    for place, text in zip(places, normalised(texts), strict=True):
        if text:
            found.setdefault(text, place)
    return found


def _clip_texts(lecture: LabelledLecture) -> list[tuple[str, str]]:
    found = []
    for clip in np.unique(lecture.clip[lecture.clip >= 0]).tolist():
        rows = np.flatnonzero(lecture.clip == clip)
        text = " ".join(lecture.sentences[row] for row in rows)
        found.append((f"{lecture.source}/{lecture.recording}/{clip}", text))
    return found
