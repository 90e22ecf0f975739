"""Small recordings with a flash and a beep at known times, and what is seen and heard of them in clips."""

import json
import wave
from pathlib import Path

import numpy as np

from core import media, tools
from core.framing import plan_framing
from core.framing_plan import FramingPlan
from core.ladder import Rendition
from core.picture import shown_size
from core.probe import probe
from core.production import Look, Production
from core.records import Cue, MediaInfo
from core.tightening import Tightening

EVERY_S, FLASH_S = 2.0, 0.2
"""Flash and beep begin together at 1, 3, 5 … s of what is recorded."""
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60"]
AAC = ["-c:a", "aac", "-aac_coder", "fast"]
HD = (Rendition(name="hd"),)


def one_period(rate: int) -> np.ndarray:
    """True while it flashes and beeps, over one period."""
    times = np.arange(round(EVERY_S * rate)) / rate
    return (times >= EVERY_S / 2) & (times < EVERY_S / 2 + FLASH_S)


def record(path: Path, seconds: float, *, fps: int = 25, size=(64, 36), options=(), sound: bool = True, picture=True,
           rate_hz: int = 16_000, gain: float = 0.3, audio=AAC) -> Path:  # fmt: skip
    """Film a grey ground that flashes, with a beep at each flash, over a faint hum."""
    made: list[str] = []
    if picture:
        raw = path.with_suffix(".gray")
        frames = np.where(one_period(fps), 250, 60).astype(np.uint8).repeat(size[0] * size[1])
        raw.write_bytes(np.resize(frames, round(seconds * fps) * size[0] * size[1]).tobytes())
        made += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[0]}x{size[1]}", "-framerate", str(fps)]
        made += ["-i", media.file_url(raw)]
    if sound:
        tone = np.sin(2 * np.pi * 1000 * np.arange(round(EVERY_S * rate_hz)) / rate_hz)
        tone = (tone * np.where(one_period(rate_hz), gain, gain / 100) * 32_767).astype(np.int16)
        with wave.open(str(path.with_suffix(".wav")), "wb") as file:
            file.setparams((1, 2, rate_hz, 0, "NONE", ""))
            file.writeframes(np.resize(tone, round(seconds * rate_hz)).tobytes())
        made += ["-i", media.file_url(path.with_suffix(".wav"))]
    coding = [*(H264 if picture else []), "-fps_mode", "passthrough", *options] if picture else []
    media.run_ffmpeg([*made, *coding, *(audio if sound else []), media.file_url(path)], what="Filming", timeout_s=120)
    return path


def flashes_s(clip: Path, fps: float) -> np.ndarray:
    """When the upper half of the picture gets light."""
    raw = clip.with_suffix(".seen")
    top = "crop=iw:ih/2:0:0,scale=16:8,format=gray"
    shown = ["-map", "0:v", "-vf", top, "-fps_mode", "passthrough", "-f", "rawvideo"]
    media.run_ffmpeg(["-i", media.file_url(clip), *shown, media.file_url(raw)], what="Looking", timeout_s=60)
    lit = np.concatenate([[False], np.fromfile(raw, np.uint8).reshape(-1, 128).mean(axis=1) > 150])
    return np.flatnonzero(lit[1:] & ~lit[:-1]) / fps


def beeps_s(clip: Path) -> np.ndarray:
    """When a loud sound begins."""
    raw = clip.with_suffix(".heard")
    mono = ["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le"]
    media.run_ffmpeg(["-i", media.file_url(clip), *mono, media.file_url(raw)], what="Listening", timeout_s=60)
    heard = np.abs(np.fromfile(raw, np.int16).astype(float))
    level = heard[: len(heard) // 48 * 48].reshape(-1, 48).max(axis=1)
    held = np.array([level[max(0, i - 4) : i + 1].max() for i in range(len(level))]) > heard.max() / 4
    return np.flatnonzero(np.diff(held.astype(int), prepend=0) == 1) / 1_000


def pictures(clip: Path, size: tuple[int, int], graph: str = "null") -> np.ndarray:
    """Every frame of a clip in grey, of what `graph` leaves of it: frames x height x width."""
    raw = clip.with_suffix(".shown")
    shown = ["-map", "0:v", "-vf", f"{graph},format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]
    media.run_ffmpeg(["-i", media.file_url(clip), *shown, media.file_url(raw)], what="Looking", timeout_s=60)
    return np.fromfile(raw, np.uint8).reshape(-1, size[1], size[0])


def asked(clip: Path) -> dict:
    """Everything that ffprobe says of a file."""
    everything = ["-show_format", "-show_streams", "-show_chapters", "-of", "json", media.file_url(clip)]
    said, _ = media.run([tools.ffprobe(), "-v", "error", *everything], what="Asking", timeout_s=60)
    return json.loads(said)


def whole_picture(info: MediaInfo, start_s: float, end_s: float, max_height: int = 1_080) -> FramingPlan:
    """The plan of a clip that shows all of the recording's picture."""
    return plan_framing(
        "source", size=shown_size(info.video), start_s=start_s, end_s=end_s, layouts=(), sightings=(),
        text_boxes=lambda _: (), max_height=max_height,
    )  # fmt: skip


def plain_production(source: Path, start_s: float, end_s: float, *, cues: tuple[Cue, ...] = (), drawn=None,
                     tightening: Tightening | None = None, max_height: int = 1_080) -> Production:  # fmt: skip
    """One format, one size, nothing around it."""
    plan = whole_picture(probe(source), start_s, end_s, max_height)
    return Production((Look(plan, drawn),), HD, cues=cues, tightening=tightening)
