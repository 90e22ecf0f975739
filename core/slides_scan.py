"""Finds where the picture changes: keyframes tell between which samples, and those stretches are looked at closely."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import changes, frames, media
from core.changes import Change
from core.frames import Decoder, Frame, Raster
from core.records import MediaInfo, SlideSpan

RASTER = Raster(changes.WIDTH_PX, changes.HEIGHT_PX)
DENSE_STEP_S = 0.08
"""Every second frame at 25 a second: the accuracy of the times found."""
BEFORE_S, AFTER_S = 3.0, 1.2
"""How much of the picture is looked at before and after a change, to know what moves anyway."""
BUDGET_S, BUDGET_PIXELS = 600.0, 2 * 1280 * 720
"""A picture that never rests, as a film's, would be decoded whole: up to so many pixels a frame that is cheap enough,
of a larger picture only a share, but always so many seconds."""
END_S, LATEST_S = 0.2, 1.0
"""A frame so long before the end is looked at unless the last sample came up to so long before it."""
FADED_S = 0.8
"""So long before its end a slide is still whole."""
SCAN_SHARE = 0.5
"""How much of the work the keyframes are taken to be, for the progress."""


@dataclass(frozen=True, slots=True)
class FrameReport:
    """How the picture was read."""

    decoder: Decoder
    """The one that gave the samples: "ffmpeg" where decord could not be used to the end."""
    samples: int
    """Frames looked at to find out between which of them the picture changes."""
    dense_s: float
    """Length of what was looked at closely."""
    skipped: int
    """Places where the picture may change that were not looked at closely, because so much of it moves."""
    settled_s: tuple[float, ...]
    """For each span the time of a sample that shows it well: the last one inside it."""


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Between two samples, `after_s` and `until_s`, the picture may have changed."""

    after_s: float
    until_s: float
    look_from_s: float
    blocks: int

    @property
    def look_until_s(self) -> float:
        return self.until_s + AFTER_S

    def dated(self, change: Change) -> Change:
        """`change` at the latest at the second sample, which shows it."""
        return replace(change, time_s=min(change.time_s, self.until_s))


def find_changes(
    path: Path, info: MediaInfo, *, scratch: Path, on_progress: media.Progress | None = None
) -> tuple[list[SlideSpan], FrameReport]:
    """Spans between changes of slide or shot that cover [0, info.duration_s), and how they were found.

    A change that is undone before the next sample (a keyframe, or 5 s where those are rare) is not seen.

    Raises MediaError if there is no picture or none of it can be decoded, Cancelled if the run was told to stop.
    """

    def tell(begin: float, share: float, time_s: float) -> None:
        if on_progress:
            on_progress(info.duration_s * begin + share * min(max(time_s, 0.0), info.duration_s))

    times_s, suspicious, decoder = _sample(path, info, scratch, lambda t: tell(0.0, SCAN_SHARE, t))
    brackets = _brackets(times_s, suspicious)
    chosen = _within_budget(brackets, _budget_s(info))
    found: list[Change] = []
    looked = frames.frames_in(
        path,
        info,
        [(b.look_from_s, b.look_until_s) for b in chosen],
        RASTER,
        step_s=DENSE_STEP_S,
        scratch=scratch,
        decoder="ffmpeg",  # reads on through a stretch at half of what decord takes
    )
    for bracket, seen in _deal(looked, chosen):
        images = np.stack([changes.signature(frame.image) for frame in seen])
        within = changes.find_changes_within(np.array([frame.time_s for frame in seen]), images)
        found += [bracket.dated(c) for c in within if bracket.after_s < c.time_s <= bracket.until_s + DENSE_STEP_S]
        tell(SCAN_SHARE, 1 - SCAN_SHARE, bracket.until_s)
    tell(SCAN_SHARE, 1 - SCAN_SHARE, info.duration_s)
    spans = changes.tile(found, info.duration_s)
    return spans, FrameReport(
        decoder=decoder,
        samples=len(times_s),
        dense_s=round(sum(b.look_until_s - b.look_from_s for b in chosen), 3),
        skipped=len(brackets) - len(chosen),
        settled_s=tuple(_settled_s(span, times_s) for span in spans),
    )


def _sample(
    path: Path, info: MediaInfo, scratch: Path, tell: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, Decoder]:
    """Times of all samples, how suspicious the stretches between consecutive ones are, and who decoded them."""
    times_s: list[float] = []
    pairs: list[tuple[changes.Blocks, changes.Cells]] = []
    before: changes.Images | None = None
    decoder: Decoder = "decord"
    for frame in _samples(path, info, scratch):
        image = changes.signature(frame.image)[None]
        if before is not None:
            blocks = changes.changed(before, image, changes.CHANGED_LEVELS)
            pairs.append((blocks, changes.changed_cells(before, image)))
        before, decoder = image, frame.decoder
        times_s.append(frame.time_s)
        tell(frame.time_s)
    if not pairs:
        return np.array(times_s), np.zeros(0, np.int64), decoder
    found = [np.concatenate(parts) for parts in zip(*pairs, strict=True)]
    return np.array(times_s), changes.suspicious(*found), decoder


def _samples(path: Path, info: MediaInfo, scratch: Path) -> Iterator[Frame]:
    """The keyframes, and one frame at the end, which may be seconds after the last of them."""
    last: Frame | None = None
    for frame in frames.keyframes(path, info, RASTER, scratch=scratch):
        last = frame
        yield frame
    end_s = info.duration_s - END_S
    if last is not None and end_s > last.time_s + LATEST_S:
        tail = frames.frames_in(path, info, [(end_s, end_s)], RASTER, step_s=0.0, scratch=scratch, decoder=last.decoder)
        yield from (frame for frame in tail if frame.time_s > last.time_s + LATEST_S)


def _brackets(times_s: np.ndarray, blocks: np.ndarray) -> list[_Bracket]:
    found = []
    for i in np.flatnonzero(blocks):
        # Looking begins at a sample, which is most often a keyframe: decoding begins there in any case.
        enough = np.flatnonzero(times_s[: i + 1] <= times_s[i + 1] - BEFORE_S)
        begin = times_s[enough[-1] if len(enough) else 0]
        found.append(_Bracket(float(times_s[i]), float(times_s[i + 1]), float(begin), int(blocks[i])))
    return found


def _budget_s(info: MediaInfo) -> float:
    pixels = info.video.width * info.video.height if info.video else 1
    return max(BUDGET_S, info.duration_s * min(1.0, BUDGET_PIXELS / pixels))


def _within_budget(brackets: list[_Bracket], budget_s: float) -> list[_Bracket]:
    """Those that change most, as many as may be looked at closely, in order of time."""
    chosen: list[_Bracket] = []
    for bracket in sorted(brackets, key=lambda b: (-b.blocks, b.after_s)):
        budget_s -= bracket.until_s - bracket.after_s  # what else is looked at belongs to its neighbours
        if budget_s < 0:
            break
        chosen.append(bracket)
    return sorted(chosen, key=lambda b: b.after_s)


def _deal(looked: Iterable[Frame], brackets: list[_Bracket]) -> Iterator[tuple[_Bracket, list[Frame]]]:
    """Give each bracket its frames, which come once although brackets overlap; only as many as needed are kept."""
    ahead, kept = deque(brackets), deque[Frame]()
    for frame in looked:
        while ahead and frame.time_s > ahead[0].look_until_s + frames.NEAR_S:
            yield from _served(ahead.popleft(), kept)
        if ahead:
            while len(kept) > 1 and kept[1].time_s <= ahead[0].look_from_s + frames.NEAR_S:
                kept.popleft()
        kept.append(frame)
    for bracket in ahead:
        yield from _served(bracket, kept)


def _served(bracket: _Bracket, kept: Iterable[Frame]) -> Iterator[tuple[_Bracket, list[Frame]]]:
    seen = [f for f in kept if bracket.look_from_s - 1.0 <= f.time_s <= bracket.look_until_s + frames.NEAR_S]
    if seen:
        yield bracket, seen


def _settled_s(span: SlideSpan, times_s: np.ndarray) -> float:
    inside = times_s[(times_s >= span.start_s + 0.5) & (times_s < span.end_s - 0.2)]
    # As late as possible: a slide grows. Not in the fade to the next.
    return float(inside[-1]) if len(inside) else max((span.start_s + span.end_s) / 2, span.end_s - FADED_S)
