"""The Timeline: one row a sentence (or a unit, where nobody speaks) with all that was found out about it.

A Parquet table with a fixed, versioned schema. Groups of columns that a recording cannot fill are null throughout:
`sound`, `pitch` and `silences` without audio, `picture` without video, all but `always` for a text without times.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.errors import StoreError
from core.prosody import SpanProsody, span_prosody
from core.records import Sentence, Silence, SlideSpan
from core.sights import LayoutSpan, Slide
from core.slide_talk import share_shown

VERSION = "2"
VERSION_KEY = b"winnow.timeline"
Group = Literal["always", "times", "silences", "sound", "pitch", "picture", "layout", "slide_text"]


class Column(NamedTuple):
    """A column of the table: its group is null throughout, or filled as far as each row allows."""

    name: str
    type: pa.DataType
    group: Group
    meaning: str


WORD = pa.struct(
    [("text", pa.string()), ("start_s", pa.float64()), ("end_s", pa.float64()), ("probability", pa.float32())]
)
COLUMNS = (
    Column("index", pa.int32(), "always", "Row number, from 0."),
    Column("text", pa.string(), "always", "What was said; empty in a unit without speech."),
    Column("position", pa.float32(), "always", "Middle of the row as a share of the recording, 0..1."),
    Column("start_s", pa.float64(), "times", "Start of the first word or of the unit."),
    Column("end_s", pa.float64(), "times", "End of the last word or of the unit, exclusive."),
    Column("words", pa.list_(WORD), "times", "Words with their times; empty where only the whole has times."),
    Column("speech_rate_wps", pa.float32(), "times", "Words a second, pauses inside included; null without words."),
    Column("pause_before_s", pa.float32(), "times", "From the end of all earlier rows (or 0); 0 if they overlap."),
    Column("pause_after_s", pa.float32(), "times", "To the next start (or the recording's end); 0 if they overlap."),
    Column("silence_before_s", pa.float32(), "silences", "How much of pause_before_s is detected silence."),
    Column("silence_after_s", pa.float32(), "silences", "How much of pause_after_s is detected silence."),
    Column("level_dbfs", pa.float32(), "sound", "Mean RMS level where it sounds; null if nothing does."),
    Column("level_range_db", pa.float32(), "sound", "90th minus 10th percentile of that level."),
    Column("spectral_centroid_hz", pa.float32(), "sound", "Mean spectral centroid where it sounds."),
    Column("pitch_hz", pa.float32(), "pitch", "Median fundamental frequency; null if nothing is voiced."),
    Column("pitch_range_semitones", pa.float32(), "pitch", "90th over 10th percentile of it, in semitones."),
    Column("slide", pa.int32(), "picture", "Index of the slide or shot on screen at the row's middle; null in a gap."),
    Column("slide_kind", pa.string(), "picture", "What began it: start, slide or shot."),
    Column("slide_start_s", pa.float64(), "picture", "When it came on screen."),
    Column("slide_end_s", pa.float64(), "picture", "When it left the screen."),
    Column("slide_change_within", pa.bool_(), "picture", "Whether another slide or shot begins inside the row."),
    Column("layout", pa.string(), "layout", "How slide and speaker share the screen at the row's middle."),
    Column("slide_title", pa.string(), "slide_text", "Title of the slide on the screen; null where it has none."),
    Column("slide_share", pa.float32(), "slide_text", "Share of the row's content words that stand on the slide."),
)
SCHEMA = pa.schema(
    [pa.field(c.name, c.type, metadata={"group": c.group, "meaning": c.meaning}) for c in COLUMNS],
    metadata={VERSION_KEY: VERSION.encode()},
)


class Levels(Protocol):
    """The sound, one value a hop from 0 s on: what `span_prosody` asks for."""

    @property
    def hop_s(self) -> float: ...
    @property
    def level_dbfs(self) -> NDArray[np.floating]: ...
    @property
    def centroid_hz(self) -> NDArray[np.floating]: ...


def build_timeline(
    sentences: Sequence[Sentence],
    *,
    silences: Sequence[Silence] | None = None,
    slides: Sequence[SlideSpan] | None = None,
    levels: Levels | None = None,
    pitch_hz: NDArray[np.floating] | None = None,
    duration_s: float | None = None,
    layouts: Sequence[LayoutSpan] | None = None,
    read: Sequence[Slide] | None = None,
) -> pa.Table:
    """The timeline of sentences that have times, sorted by time.

    Args:
        silences: As detected; None where there is no audio, empty where none was found.
        slides: In order of time, as `slide` will index them; None where there is no video.
        levels: Envelope of the sound; None where there is no audio.
        pitch_hz: Fundamental frequency of each hop of `levels`, NaN where unvoiced; None leaves its columns null.
        duration_s: Length of the recording; None where unknown (the last end then stands for it).
        layouts: In order of time; None where not analysed.
        read: What stands on the slides, one for each of `slides`; None where not read.
    """
    if duration_s is not None and not 0 < duration_s < float("inf"):
        raise ValueError(f"duration_s must be a positive number of seconds, got {duration_s}")
    ordered = sorted(sentences, key=lambda sentence: (sentence.start_s, sentence.end_s))
    starts = np.array([s.start_s for s in ordered], dtype=np.float64)
    ends = np.array([s.end_s for s in ordered], dtype=np.float64)
    end_s = max(float(ends.max(initial=0.0)), duration_s or 0.0)
    columns: dict[str, Any] = {
        "text": [s.text for s in ordered],
        "position": (starts + ends) / 2 / end_s if len(ordered) else starts,
        "start_s": starts,
        "end_s": ends,
        "words": [[_word(word) for word in s.words] for s in ordered],
        "speech_rate_wps": [_rate(s) for s in ordered],
        **_pauses(starts, ends, silences, end_s),
    }
    if levels is not None:
        spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
        columns |= _sound(
            span_prosody(
                spans,
                levels.level_dbfs,
                centroid_hz=levels.centroid_hz,
                pitch_hz=pitch_hz,
                hop_s=levels.hop_s,
            )
        )
    if slides is not None:
        columns |= _picture(starts, ends, slides)
        if read is not None:
            columns |= _shown(columns["text"], columns["slide"], read)
    if layouts is not None:
        columns["layout"] = _layouts((starts + ends) / 2, layouts)
    return _table(columns, len(ordered))


def build_text_timeline(texts: Iterable[str]) -> pa.Table:
    """The timeline of sentences in order without times; `position` is then the middle of the row's number."""
    kept = list(texts)
    return _table({"text": kept, "position": (np.arange(len(kept)) + 0.5) / max(len(kept), 1)}, len(kept))


def write(table: pa.Table, path: Path) -> None:
    """Write a timeline as Parquet. The caller writes beside the place and moves it: this is not atomic."""
    pq.write_table(table.select(SCHEMA.names).cast(SCHEMA), path, compression="zstd")


def read(path: Path) -> pa.Table:
    """Read a timeline back with exactly SCHEMA. Raises StoreError when it is missing, damaged or of another version."""
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(
            f"Reading the timeline {path} failed: {error}. Remove it, and the next run makes it anew."
        ) from error
    version = (table.schema.metadata or {}).get(VERSION_KEY, b"none").decode(errors="replace")
    if version != VERSION or not table.schema.equals(SCHEMA, check_metadata=False):
        raise StoreError(
            f"Reading the timeline {path}: its version is {version} and this Winnow reads version {VERSION} with its "
            "exact columns. Remove it, and the next run makes it anew."
        )
    return table.cast(SCHEMA)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as dicts of plain Python values, keyed by column."""
    return table.to_pylist()


def _layouts(middles: NDArray[np.float64], layouts: Sequence[LayoutSpan]) -> list[str | None]:
    begins = [span.start_s for span in layouts]
    found: list[str | None] = []
    for time_s in middles.tolist():
        i = bisect_right(begins, time_s) - 1
        found.append(layouts[i].layout if i >= 0 and time_s < layouts[i].end_s else None)
    return found


def _shown(texts: Sequence[str], slides: Any, read: Sequence[Slide]) -> dict[str, Any]:
    on_screen = [read[i] if i is not None and i < len(read) else None for i in slides]
    rows = list(zip(texts, on_screen, strict=True))
    return {
        "slide_title": [slide.title if slide else None for slide in on_screen],
        "slide_share": [share_shown(text, slide.text) if slide else None for text, slide in rows],
    }


def _table(columns: dict[str, Any], count: int) -> pa.Table:
    columns = {"index": np.arange(count), **columns}
    arrays = [
        pa.nulls(count, field.type) if field.name not in columns else pa.array(columns[field.name], type=field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _word(word: Any) -> dict[str, Any]:
    return {"text": word.text, "start_s": word.start_s, "end_s": word.end_s, "probability": word.probability}


def _rate(sentence: Sentence) -> float | None:
    count = len(sentence.words) or len(sentence.text.split())
    return count / (sentence.end_s - sentence.start_s) if count else None


def _pauses(
    starts: NDArray[np.float64], ends: NDArray[np.float64], silences: Sequence[Silence] | None, end_s: float
) -> dict[str, NDArray[np.float64]]:
    """Pauses beside each row; earlier rows may reach past the one just before, so their latest end counts."""
    if not len(starts):
        return {}
    so_far = np.maximum.accumulate(ends)
    begins = np.minimum(np.concatenate([[0.0], so_far[:-1]]), starts)
    finishes = np.maximum(np.concatenate([starts[1:], [end_s]]), ends)
    found = {"pause_before_s": starts - begins, "pause_after_s": finishes - ends}
    if silences is not None:
        silent = _silence_until(silences, np.stack([begins, starts, ends, finishes]))
        found |= {"silence_before_s": silent[1] - silent[0], "silence_after_s": silent[3] - silent[2]}
    return found


def _silence_until(silences: Sequence[Silence], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds of silence in [0, t) for each t; overlapping silences count once."""
    edges, totals, reached = [0.0], [0.0], 0.0
    for silence in sorted(silences, key=lambda s: s.start_s):
        start_s = max(silence.start_s, reached)
        if silence.end_s > start_s:
            edges += [start_s, silence.end_s]
            totals += [totals[-1], totals[-1] + silence.end_s - start_s]
            reached = silence.end_s
    return np.interp(times, edges, totals)


def _sound(found: list[SpanProsody]) -> dict[str, list[float | None]]:
    return {
        "level_dbfs": [p.level_dbfs for p in found],
        "level_range_db": [p.level_range_db for p in found],
        "spectral_centroid_hz": [p.centroid_hz for p in found],
        "pitch_hz": [p.pitch_hz for p in found],
        "pitch_range_semitones": [p.pitch_range_semitones for p in found],
    }


def _picture(
    starts: NDArray[np.float64], ends: NDArray[np.float64], slides: Sequence[SlideSpan]
) -> dict[str, list[Any]]:
    begun = [slide.start_s for slide in slides]
    shown: list[int | None] = []
    for middle_s in ((starts + ends) / 2).tolist():
        index = bisect_right(begun, middle_s) - 1
        shown.append(index if index >= 0 and middle_s < slides[index].end_s else None)
    return {
        "slide": shown,
        "slide_kind": [None if i is None else slides[i].kind for i in shown],
        "slide_start_s": [None if i is None else slides[i].start_s for i in shown],
        "slide_end_s": [None if i is None else slides[i].end_s for i in shown],
        "slide_change_within": [
            bool(bisect_right(begun, start_s) < bisect_right(begun, np.nextafter(end_s, 0)))
            for start_s, end_s in zip(starts.tolist(), ends.tolist(), strict=True)
        ],
    }
