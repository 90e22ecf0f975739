"""One try at a clip: what was asked for, what came out, and what is found on it when it is looked over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import checks, glimpses, loudness, picture
from core.cutting import Cut, plan_cut
from core.encoders import Encoder
from core.encoding import TIGHT, body_span_s, made_files, total_cut_frames
from core.errors import MediaError, RefusedInput
from core.glimpses import Glimpse
from core.loudness import Levelling, Loudness
from core.probe import probe
from core.production import Production
from core.records import MediaInfo
from core.settings import RenderSettings

CLIP = "clip.mp4"
CONTAINER = "mov"
PosterPicker = Callable[[Path, MediaInfo, tuple[float, float]], float]
"""Told a clip, what it is, and from when to when to look; tells the time of the frame that stands best for it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `render_clip` was asked for."""

    source: Path
    info: MediaInfo
    start_s: float
    end_s: float
    settings: RenderSettings
    encoder: Encoder
    title: str
    production: Production
    folder: Path
    threads: int
    pick_poster: PosterPicker | None
    on_progress: Callable[[float], None] | None

    @property
    def tightens(self) -> bool:
        return bool(self.production.tightening and self.production.tightening.removed)


@dataclass(frozen=True, slots=True)
class Take:
    """One try at a clip, and what was found on it."""

    cut: Cut
    size: tuple[int, int]
    before: Loudness | None
    levelling: Levelling | None
    after: Loudness | None
    verdict: checks.Verdict
    seen: tuple[Glimpse, ...]
    found: MediaInfo | None
    """What the probe says of the clip itself."""


def examine(
    order: Order,
    cut: Cut,
    before: Loudness | None,
    levelling: Levelling | None,
    noted: tuple[str, ...],
    work: Path,
) -> Take:
    """Look the finished files over, and compare the clip with the recording."""
    clip, made = order.folder / CLIP, replace(cut, frames=total_cut_frames(order.production, cut))
    probed = [(file, _probed(order, file.name)) for file in made_files(order.production)]
    bad = [
        problem if number == 0 else f"{file.name}: {problem}"
        for number, (file, found) in enumerate(probed)
        for problem in checks.check_container(order.folder / file.name, found, made, (file.width, file.height))
    ]
    found = probed[0][1]
    warnings = [*noted, *(text for text in (picture.plan_colours(order.info.video).warning,) if text)]
    begin_s, end_s = body_span_s(order.production, cut)
    body = plan_cut(clip, found, begin_s, end_s) if begin_s else Cut(clip, found, 0, 0, 0, cut.frame_rate, 0, 0)
    body = replace(body, frames=order.production.body_frames(cut.frames))
    level: list[str] = []
    after, lag_s, seen = None, None, []
    if found.video:
        seen = [glimpse for glimpse in glimpses.keyframes(body, work) if 0 <= glimpse.time_s < body.duration_s]
        look = order.production.looks[0]
        if look.untouched:
            burned, tightening = bool(look.captions or order.production.template), order.production.tightening
            more, told = checks.check_picture(body, cut, seen, work, burned=burned, tightening=tightening)
        else:
            more, told = checks.check_lit(cut, seen, work), []
        bad, warnings = bad + more, warnings + told
    if found.audio and before:
        heard = checks.wav_as_cut(work / TIGHT, body) if order.tightens else cut
        more, told, lag_s = checks.check_sound(body, heard, work)
        bad, warnings = bad + more, warnings + told
        after = loudness.measure_loudness(clip, CONTAINER, made.duration_s)
        level = checks.check_level(after, before, order.settings.loudness_lufs)
    measures: dict[str, float | str | None] = {
        "duration_s": found.duration_s,
        "loudness_lufs": finite(after.integrated_lufs) if after else None,
        "true_peak_dbtp": finite(after.true_peak_dbtp) if after else None,
        "source_loudness_lufs": finite(before.integrated_lufs) if before else None,
        "gain_db": levelling.gain_db if levelling else None,
        "sound_lag_s": lag_s,
        "encoder": order.encoder.name,
    }
    captions = tuple(checks.check_captions(order.production.cues, body))
    verdict = checks.Verdict(tuple(bad), tuple(level), captions, tuple(warnings), measures)
    return Take(cut, order.production.looks[0].size, before, levelling, after, verdict, tuple(seen), found)


def _probed(order: Order, name: str) -> MediaInfo:
    try:
        return probe(order.folder / name)
    except RefusedInput as error:
        raise MediaError(f"Rendering a clip of {order.source.name}: what came out is not playable: {error}") from error


def finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
