"""The clips of the report page: what the manifest holds of each, ordered and put into words for the template."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.records import Sentence
from core.report_values import facts, unit_of

WRITTEN_WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
LEAD_IN_S = 2.0
"""So long before a cut the player starts, so that the ear knows where it is."""
PX_PER_S = 26.0
LONGEST_GAP_PX = 104.0
Line = list[tuple[float | None, str]]
"""(Second in the clip as it plays, word)."""


@dataclass(frozen=True, slots=True)
class Playing:
    """How a clip's times lie in the recording: behind an intro, and without what was removed."""

    start_s: float
    end_s: float
    intro_s: float
    gone: tuple[tuple[float, float], ...]
    """[start_s, end_s) on the recording's timeline, in order."""

    @staticmethod
    def of(clip: Mapping[str, Any]) -> "Playing":
        gone = [(row["start_s"], row["end_s"]) for row in clip.get("tightening") or [] if row.get("removed")]
        return Playing(clip["start_s"], clip["end_s"], clip.get("intro_s") or 0.0, tuple(sorted(gone)))

    def recording_s(self, played_s: float) -> float:
        """Which time of the recording a time of the clip shows."""
        at_s = self.start_s + played_s - self.intro_s
        for start_s, end_s in self.gone:
            if start_s <= at_s:
                at_s += end_s - start_s
        return at_s

    def played_s(self, at_s: float) -> float:
        """Where a time of the recording lies in the clip."""
        gone_s = sum(max(0.0, min(end_s, at_s) - start_s) for start_s, end_s in self.gone)
        return self.intro_s + at_s - self.start_s - gone_s

    @property
    def length_s(self) -> float:
        """Of the recording, as far as it plays."""
        return self.end_s - self.start_s - sum(end_s - start_s for start_s, end_s in self.gone)


def shown_clips(page: Mapping[str, Any], sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    """The manifest's clips in order of rank, each with all that the template shows of it.

    Raises ValueError for a clip without rank or times.
    """
    scales: dict[str, tuple[float, float]] = {}
    for index, clip in enumerate(page["clips"]):
        need(f"clips[{index}]", clip, ("rank", "start_s", "end_s"))
        for name, value in (clip.get("reasons") or {}).items():
            if isinstance(value, float) and math.isfinite(value) and not unit_of(name):
                lowest, highest = scales.get(name, (0.0, 1.0))
                scales[name] = (min(lowest, value), max(highest, value))
    return [
        {
            **{"title": None, "text": None, "score": None},
            **clip,
            "playing": Playing.of(clip),
            "files": clip.get("files") or {},
            "writing": clip.get("writing") or {},
            "formats": _formats(clip, page["source"]),
            "tight": _tight(clip),
            "told": _captions(clip),
            "checks": {"warnings": [], "repairs": [], **(clip.get("checks") or {})},
            "measures": facts((clip.get("checks") or {}).get("measures") or {}, {}),
            "why": facts(clip.get("reasons") or {}, scales),
            "lines": lines(clip, sentences),
            "joint": "" if page["transcript"].get("language") in WRITTEN_WITHOUT_SPACES else " ",
        }
        for clip in sorted(page["clips"], key=lambda clip: clip["rank"])
    ]


def need(part: str, found: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise ValueError unless the manifest has all `names` in this part of it."""
    if missing := [name for name in names if found.get(name) is None]:
        raise ValueError(f"Drawing the report: the manifest has no {part}.{missing[0]}.")


def lines(clip: Mapping[str, Any], sentences: Sequence[Sentence]) -> list[Line]:
    """A line for each sentence: from the clip's own words, else the recording's, else its bare text."""
    playing = Playing.of(clip)
    near = [s for s in sentences if s.start_s < playing.end_s and s.end_s > playing.start_s]
    timed = [(word["start_s"], word["end_s"], word["text"]) for word in clip.get("words") or []] or [
        (playing.played_s(word.start_s), playing.played_s(word.end_s), word.text)
        for sentence in near
        for word in (sentence.words or (sentence,))
        if playing.start_s <= (word.start_s + word.end_s) / 2 < playing.end_s
    ]
    found: dict[int, Line] = {}
    for start_s, end_s, text in timed:
        at_s = playing.recording_s((start_s + end_s) / 2)
        row = bisect_right(near, at_s, key=lambda sentence: sentence.start_s)
        found.setdefault(row, []).append((round(max(start_s, 0.0), 2), text.strip()))
    return list(found.values()) or ([[(None, clip["text"])]] if clip.get("text") else [])


def _formats(clip: Mapping[str, Any], source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each format with its size, its poster, and its files by what they are called; the first is the one shown."""
    files = clip.get("files") or {}
    sizes = {plan["format"]: (plan["width"], plan["height"]) for plan in clip.get("framing") or []}
    own = (source.get("width") or 16, source.get("height") or 9)
    made = files.get("formats") or ({"source": {"hd": files["video"]}} if files.get("video") else {})
    found = []
    for number, (name, renditions) in enumerate(made.items()):
        width, height = sizes.get(name, own)
        poster = (files.get("posters") or {}).get(name) or (None if number else files.get("poster"))
        links = [(_named(rendition), file) for rendition, file in renditions.items()]
        playlist = (files.get("hls") or {}).get(name)
        found.append(
            {
                "name": _named(name),
                "width": width,
                "height": height,
                "icon": (round(14 * width / max(width, height), 1), round(14 * height / max(width, height), 1)),
                "video": next(iter(renditions.values()), None),
                "poster": poster,
                "links": links + ([("HLS", playlist)] if playlist else []) + ([("Poster", poster)] if poster else []),
            }
        )
    return [form for form in found if form["video"]]


def _named(name: str) -> str:
    return name.upper() if len(name) == 2 else name[:1].upper() + name[1:]


def _tight(clip: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was removed from the clip, or would be: the rows with the place in the clip to listen from."""
    rows = clip.get("tightening") or []
    if not rows:
        return None
    playing = Playing.of(clip)
    saved_s = sum(row["end_s"] - row["start_s"] for row in rows)
    shown = [
        {
            **row,
            "from_s": round(max(0.0, playing.played_s(row["start_s"]) - LEAD_IN_S), 2),
            "skip": [round(playing.played_s(row[edge]), 3) for edge in ("start_s", "end_s")],
            "gap_px": round(min(max(4.0, PX_PER_S * (row["end_s"] - row["start_s"])), LONGEST_GAP_PX), 1),
            "length_s": row["end_s"] - row["start_s"],
        }
        for row in rows
    ]
    return {
        "rows": shown,
        "removed": all(row.get("removed") for row in rows),
        "saved_s": saved_s,
        "share": saved_s / (playing.end_s - playing.start_s),
        "pauses": sum(row.get("kind") == "pause" for row in rows),
        "fillers": sum(row.get("kind") == "filler" for row in rows),
    }


def _captions(clip: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the caption report says, ready to show; None where the clip has no captions."""
    report = clip.get("captions")
    if not report or not report.get("cues"):
        return None
    words = [
        (label, [row for row in report.get(name) or [] if row.get("text")])
        for label, name in (("Corrected", "corrected"), ("Masked", "masked"), ("Left out", "left_out"))
    ]
    over = [("the speaker’s mouth", report.get("over_mouth")), ("text on the slide", report.get("over_text"))]
    return {
        "cues": report["cues"],
        "mean": report.get("mean_chars_per_s"),
        "max": report.get("max_chars_per_s"),
        "breaches": list(report.get("told") or []),
        "over": [(what, times_s) for what, times_s in over if times_s],
        "words": [(label, rows) for label, rows in words if rows],
    }
