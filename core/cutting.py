"""Where a clip lies in its recording, and how ffmpeg is told to read exactly that and nothing else.

Seeking lands where it can, not where it was asked to. So reading begins somewhat before the clip, every frame keeps
the container's own clock (`-copyts`), shifted so that the clip begins at 0 (`-itsoffset`), and the graph cuts by time.
Left to itself, ffmpeg's accurate seek drops the frame that is still being shown when the clip begins (variable frame
rate), loses the picture up to the next keyframe (MPEG-TS), and ffmpeg 6.0 shifts an MPEG-TS whose streams start apart.
"""

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from core import media, tools
from core.records import MediaInfo, VideoStream
from core.settings import RenderSettings

SAMPLE_RATE_HZ = 48_000
GENERATED_RATE = Fraction(25)
HIGHEST_RATE, LOWEST_RATE, UNEVEN_RATE = Fraction(60), Fraction(23), Fraction(30)
"""Rates of clips, in frames a second. A slow picture gets a whole multiple of its rate, so that its frames keep their
times and a cut can be near; an uneven one at least 30, whose half frame of 17 ms is the most a frame is moved."""
INDEXED = frozenset({"mov", "matroska", "avi"})
"""Demuxers that know where keyframes are, so that a seek finds one at or before the time asked for."""
REORDER_FRAMES = 8
"""Keyframes may be indexed by decoding time, which is this many frames at most before they are shown."""
SOUND_LEAD_S = 1.0
"""Codecs lean on what came before: the MP3 bit reservoir, the overlap of AAC, the slots of WMA."""
CAREFUL_LEAD_S = 60.0
FADE_S = 0.01
SEARCH_BACK_S = (10.0, 60.0, 600.0)
SEEK_TIMEOUT_S = 120.0
GOP_S = 2
SOUND_OPTIONS: dict[str, Any] = {"c:a": "aac", "profile:a": "aac_low", "b:a": "160k"}
PTS_TIME = re.compile(r"\bpts_time:\s*(-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class Cut:
    """One clip of a recording, with both edges on the grid of the output's frames."""

    source: Path
    info: MediaInfo
    clock_start_s: float
    """What the container's own clock shows at the start of the recording; not 0 in a broadcast, for example."""
    start_s: float
    """On the recording's timeline: at most half an output frame from what was asked for, where frames are even."""
    frames: int
    frame_rate: Fraction
    picture_lead_s: float
    """How much before the clip the picture is read, so that the frame shown at its start is among it."""
    sound_lead_s: float

    @property
    def duration_s(self) -> float:
        return float(self.frames / self.frame_rate)

    @property
    def samples(self) -> int:
        return round(self.frames / self.frame_rate * SAMPLE_RATE_HZ)


def plan_cut(source: Path, info: MediaInfo, start_s: float, end_s: float, *, careful: bool = False) -> Cut:
    """The cut of [start_s, end_s), seconds on the recording's timeline (0 is the start of the container).

    Args:
        careful: Read from a minute further back: slower, for files whose seek times are only estimates.

    Raises ValueError for an interval that is empty or begins outside the recording, MediaError if it cannot be read.
    """
    if not 0 <= start_s < min(end_s, info.duration_s):
        raise ValueError(f"A clip must begin inside its recording of {info.duration_s} s, got [{start_s}, {end_s})")
    start_s, frames, rate = bounds(info, start_s, end_s)
    clock_start_s = _clock_start_s(source, info.container)
    extra_s = CAREFUL_LEAD_S if careful else 0.0
    picture_lead_s = 0.0
    if info.video:
        picture_lead_s = extra_s + _picture_lead_s(source, info, info.video, clock_start_s, start_s)
    return Cut(
        source=source,
        info=info,
        clock_start_s=clock_start_s,
        start_s=start_s,
        frames=frames,
        frame_rate=rate,
        picture_lead_s=min(picture_lead_s, start_s),
        sound_lead_s=min(SOUND_LEAD_S + extra_s, start_s),
    )


def bounds(info: MediaInfo, start_s: float, end_s: float) -> tuple[float, int, Fraction]:
    """Where a clip of [start_s, end_s) really begins, how many frames it has, and at which rate."""
    rate = clip_frame_rate(info.video)
    if info.video and not info.video.variable_frame_rate:
        start_s = _on_grid(start_s, info.video.start_s, rate)
    return start_s, max(1, round((min(end_s, info.duration_s) - start_s) * rate)), rate


def clip_frame_rate(video: VideoStream | None) -> Fraction:
    """The constant rate of a clip of this picture: its own, divided or multiplied by a whole number where needed."""
    if video is None:
        return GENERATED_RATE
    if video.variable_frame_rate:
        return min(max(video.fps, UNEVEN_RATE), HIGHEST_RATE)
    rate = video.fps / math.ceil(video.fps / HIGHEST_RATE)
    return rate * math.ceil(LOWEST_RATE / rate)


def open_input(cut: Cut, lead_s: float, *, options: dict[str, Any]) -> Any:
    """The recording as an ffmpeg-python input whose time 0 is the clip's start; what precedes has times below 0."""
    settings = {**media.input_options(cut.info.container), "itsoffset": f"{-(cut.clock_start_s + cut.start_s):.6f}"}
    if cut.start_s > lead_s:
        settings |= {"ss": f"{cut.start_s - lead_s:.6f}", "noaccurate_seek": None}
    return ffmpeg.input(media.file_url(cut.source), **settings, **options)


def arguments(output: Any) -> list[str]:
    """What ffmpeg is called with for an output whose inputs come from `open_input`."""
    return ["-copyts", *ffmpeg.get_args(output)]


def read_picture(cut: Cut, *, threads: int) -> Any:
    """The clip's frames at its constant rate, from exactly 0 on, in the recording's own size and colours.

    A picture that begins late is preceded by its first frame, one that ends early is followed by its last.
    """
    video = cut.info.video
    if video is None:
        raise ValueError(f"{cut.source.name} has no picture to read")
    # Without a new graph when the size changes in mid-stream, times go on and the scaler that follows adapts.
    opened = open_input(cut, cut.picture_lead_s, options={"threads": threads, "reinit_filter": 0})
    picture = opened[str(video.index)]
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    lead_frames = math.ceil(cut.picture_lead_s * cut.frame_rate)
    rate = f"{cut.frame_rate.numerator}/{cut.frame_rate.denominator}"
    return (
        picture.filter("fps", fps=rate, start_time=f"{float(-lead_frames / cut.frame_rate):.6f}")
        .filter("tpad", stop_mode="clone", stop=-1)
        .filter("trim", start_frame=lead_frames, end_frame=lead_frames + cut.frames)
        .filter("setpts", "PTS-STARTPTS")
    )


def read_sound(cut: Cut) -> Any:
    """The clip's sound: exactly `cut.samples` of stereo float at 48 kHz, silence where the recording has none.

    Gaps in the recording stay gaps, and a clock that drifts is followed, so that it keeps in step with the picture.
    """
    audio = cut.info.audio
    if audio is None:
        raise ValueError(f"{cut.source.name} has no sound to read")
    sound = open_input(cut, cut.sound_lead_s, options={"threads": 1})[str(audio.index)].filter("atrim", start=0)
    if audio.channels > 8:  # no standard layout, so nothing that ffmpeg could mix by
        mean = "+".join(f"c{channel}" for channel in range(audio.channels))
        sound = sound.filter("pan", f"stereo|c0<{mean}|c1<{mean}")
    fade_s = min(FADE_S, cut.duration_s / 2)
    return (
        sound.filter("aresample", SAMPLE_RATE_HZ, **{"async": 1000}, first_pts=0)
        .filter("aformat", sample_fmts="flt", channel_layouts="stereo")
        .filter("apad")
        .filter("atrim", end_sample=cut.samples)
        .filter("afade", type="in", duration=fade_s)
        .filter("afade", type="out", start_time=f"{cut.duration_s - fade_s:.6f}", duration=fade_s)
    )


def picture_options(cut: Cut, settings: RenderSettings, threads: int) -> dict[str, Any]:
    """How the picture is encoded: H.264 High, a closed group of pictures every two seconds for quick seeks."""
    return {
        "c:v": "libx264",
        "preset": settings.encoder_preset,
        "crf": settings.quality_crf,
        "profile:v": "high",
        "g": max(1, round(GOP_S * cut.frame_rate)),
        "flags:v": "+cgop",
        "threads:v": threads,
    }


def file_options(title: str) -> dict[str, Any]:
    """An MP4 that plays before it is fully loaded, with `title` and nothing of the recording's tags and chapters."""
    shown = "".join(c if c.isprintable() else " " for c in title)
    return {
        "f": "mp4",
        "map_metadata": -1,
        "map_chapters": -1,
        "metadata": f"title={shown}",
        "movflags": "+faststart",
    }


def _on_grid(time_s: float, phase_s: float, rate: Fraction) -> float:
    """The time of the frame border nearest to `time_s`, but not before 0."""
    frame = round((time_s - phase_s) * rate)
    while phase_s + float(frame / rate) < 0:
        frame += 1
    return phase_s + float(frame / rate)


def _clock_start_s(source: Path, container: str) -> float:
    program = [tools.ffprobe(), "-v", "error", "-protocol_whitelist", "file", "-f", container, "-of", "json"]
    program += ["-show_entries", "format=start_time", media.file_url(source)]
    output, _ = media.run(program, what=f"Reading the clock of {source.name}", timeout_s=SEEK_TIMEOUT_S)
    return float(json.loads(output).get("format", {}).get("start_time") or 0.0)


def _picture_lead_s(source: Path, info: MediaInfo, video: VideoStream, clock_start_s: float, start_s: float) -> float:
    """How far back a seek must aim so that the frame shown at `start_s` gets decoded."""
    lead_s = 0.2 + float(REORDER_FRAMES / Fraction(video.average_frame_rate))
    if video.duration_s and start_s >= video.start_s + video.duration_s - lead_s:
        # The picture ended before the clip begins: what is shown is its last frame.
        lead_s += max(0.0, start_s - (video.start_s + video.duration_s))
    if info.container in INDEXED:
        return lead_s
    aim = Cut(source, info, clock_start_s, start_s, 1, clip_frame_rate(video), lead_s, 0.0)
    for back_s in SEARCH_BACK_S:
        before = [t for t in _keyframe_times_s(aim, video, back_s) if t <= 0]
        if before or back_s >= start_s:
            return max(lead_s, 0.5 - before[-1]) if before else start_s
    return start_s


def _keyframe_times_s(cut: Cut, video: VideoStream, back_s: float) -> list[float]:
    """Times, relative to the clip's start, of the keyframes that a seek `back_s` before it finds."""
    opened = open_input(cut, back_s, options={"threads": 1, "skip_frame": "nokey"})
    shown = opened[str(video.index)].filter("trim", end=0.001).filter("showinfo", checksum=0)
    found = arguments(ffmpeg.output(shown, "-", f="null"))
    what = f"Finding a keyframe before {cut.start_s:.1f} s of {cut.source.name}"
    said = media.run_ffmpeg(["-loglevel", "info", *found], what=what, timeout_s=SEEK_TIMEOUT_S)
    return [float(time_s) for time_s in PTS_TIME.findall(said)]
