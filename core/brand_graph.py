"""A brand template on ffmpeg-python streams: logo and lower third over a clip, intro and outro around it.

What is drawn was prepared by `core.brand_assets` and lies in the folder that ffmpeg runs in. The call is compiled by
`core.cutting.arguments`, as all calls with recordings are.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg

from core.brand import Asset, Template
from core.brand_assets import Placed, Prepared
from core.brand_look import End
from core.cutting import SAMPLE_RATE_HZ, Cut, plan_cut, read_picture, read_sound
from core.picture import finish_picture, plan_colours, shown_size
from core.records import MediaInfo, VideoStream

FADE_S = 0.3
"""How long the lower third takes to come and to go."""
SLIDE_SHARE = 0.02
"""How far it slides in meanwhile, as a share of the picture's shorter side."""
SOUND_FADE_S = 0.08
"""The sound of an intro or outro fades in and out for so long, so that no joint clicks."""
END_THREADS = 2
MATRICES = {
    "bt709": "bt709",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
"""How ffmpeg's scaler calls the matrix of a tag; pictures without one are decoded, and so encoded, by bt601."""


def brand(picture: Any, prepared: Prepared, *, frame_rate: Fraction, video: VideoStream | None) -> Any:
    """`picture`, finished in the clip's size and beginning at 0, with the logo and the lower third drawn over it.

    Args:
        video: Of the recording, by which `finish_picture` chose the colours; None for a picture that was drawn.
    """
    if prepared.logo:
        at = prepared.logo.box
        logo = _image(prepared.logo.file, frame_rate, video).filter("format", "yuva420p")
        picture = picture.overlay(logo, x=int(at.x), y=int(at.y), eof_action="repeat")
    if prepared.lower_third:
        picture = _with_card(picture, prepared.lower_third, min(prepared.size), frame_rate, video)
    return picture


def with_ends(
    picture: Any, sound: Any | None, prepared: Prepared, *, frames: int, frame_rate: Fraction, video: VideoStream | None
) -> tuple[Any, Any | None]:
    """Picture and sound with intro and outro around them; the body keeps its frames and stays in step.

    Args:
        picture: The body, finished in the clip's size, `frames` frames long.
        sound: Its sound at 48 kHz, cut or filled to just as long; None keeps the whole clip without sound.
        video: As for `brand`.
    """
    template = prepared.template
    before = _end(prepared, "intro", template.intro, template.look.intro, frame_rate, video)
    after = _end(prepared, "outro", template.outro, template.look.outro, frame_rate, video)
    if before is None and after is None:
        return picture, sound
    pictures = [p for p in (before and before[0], picture, after and after[0]) if p is not None]
    joined = ffmpeg.concat(*pictures, v=1, a=0, n=len(pictures))
    shown = _clocked(joined, frame_rate)
    if sound is None:
        return shown, None
    intro, outro = end_frames(template, frame_rate)
    edges = [0, intro, intro + frames, intro + frames + outro]
    lengths = [_samples(stop, frame_rate) - _samples(start, frame_rate) for start, stop in pairwise(edges)]
    heard = [before and before[1], sound, after and after[1]]
    parts = [_exactly(part, length) for part, length in zip(heard, lengths, strict=True) if part is not None]
    return shown, ffmpeg.concat(*parts, v=0, a=1, n=len(parts)).filter("asetpts", "N/SR/TB")


def ends_s(template: Template, frame_rate: Fraction) -> tuple[float, float]:
    """How long intro and outro last in clips of this frame rate: captions and sidecars shift by the first."""
    before, after = end_frames(template, frame_rate)
    return float(before / frame_rate), float(after / frame_rate)


def end_frames(template: Template, frame_rate: Fraction) -> tuple[int, int]:
    """How many frames intro and outro have in clips of this frame rate; 0 where there is none."""

    def frames(asset: Asset | None, end: End | None) -> int:
        if asset is None or end is None:
            return 0
        return max(1, round((asset.info.duration_s if asset.info else end.seconds or 0.0) * frame_rate))

    return frames(template.intro, template.look.intro), frames(template.outro, template.look.outro)


def _with_card(picture: Any, card: Placed, shorter: int, frame_rate: Fraction, video: VideoStream | None) -> Any:
    """The lower third slides in from the left while it fades in, stays, and fades out."""
    first = round(card.start_s * frame_rate)
    frames = max(1, round(card.end_s * frame_rate) - first)
    fade = max(1, min(round(FADE_S * frame_rate), frames // 3))
    shown = (
        _still(_image(card.file, frame_rate, video).filter("format", "yuva420p"), frames)
        .filter("fade", type="in", start_frame=0, nb_frames=fade, alpha=1)
        .filter("fade", type="out", start_frame=frames - fade, nb_frames=fade, alpha=1)
    )
    start_s, slide_px = float(first / frame_rate), SLIDE_SHARE * shorter
    left = f"{card.box.x:.0f}-{slide_px:.1f}*pow(1-clip((t-{start_s:.6f})/{float(fade / frame_rate):.6f},0,1),3)"
    return picture.overlay(
        _clocked(shown, frame_rate, first), x=f"2*round(({left})/2)", y=int(card.box.y), eof_action="pass"
    )


def _end(
    prepared: Prepared,
    part: str,
    asset: Asset | None,
    end: End | None,
    frame_rate: Fraction,
    video: VideoStream | None,
) -> tuple[Any, Any] | None:
    """Picture and sound of the intro or outro, in the form of the body; None where there is none."""
    if asset is None or end is None:
        return None
    frames = end_frames(prepared.template, frame_rate)[part == "outro"]
    ground = _still(_image(prepared.grounds[part], frame_rate, video).filter("format", "yuv420p"), frames)
    if asset.info is None:
        return _tagged(_clocked(ground, frame_rate), video), _silence(part, prepared.label)
    cut = _whole(prepared.videos[part], asset.info, frames, frame_rate)
    shown = _fitted(cut, asset.info, end, prepared.size, _clocked(ground, frame_rate), video)
    sound = _end_sound(cut, prepared.gains_db.get(part, 0.0)) if asset.info.audio else _silence(part, prepared.label)
    return _tagged(_clocked(shown, frame_rate), video), sound


def _silence(part: str, label: str) -> Any:
    # A name of its own: ffmpeg-python takes two equal sources for one.
    return ffmpeg.input(f"anullsrc@{part}{label}=r={SAMPLE_RATE_HZ}:cl=stereo", f="lavfi").audio


def _whole(source: Path, info: MediaInfo, frames: int, frame_rate: Fraction) -> Cut:
    """All of a video from its very start, at the body's frame rate."""
    cut = plan_cut(source, info, 0.0, info.duration_s)
    return replace(cut, start_s=0.0, frames=frames, frame_rate=frame_rate, picture_lead_s=0.0, sound_lead_s=0.0)


def _fitted(cut: Cut, info: MediaInfo, end: End, size: tuple[int, int], ground: Any, video: VideoStream | None) -> Any:
    """The video in the clip's size and matrix: whole over the ground, or its middle."""
    assert info.video
    own = shown_size(info.video)
    factors = size[0] / own[0], size[1] / own[1]
    factor = max(factors) if end.fit == "crop" else min(factors)
    fitted = (max(2, 2 * round(own[0] * factor / 2)), max(2, 2 * round(own[1] * factor / 2)))
    picture = finish_picture(read_picture(cut, threads=END_THREADS), info.video, fitted, plan_colours(info.video))
    picture = picture.filter("scale", out_color_matrix=_matrix(video), out_range="tv").filter("format", "yuv420p")
    if fitted == size:
        return picture
    if end.fit == "crop":
        return picture.filter("crop", *size)
    left, top = (2 * ((size[axis] - fitted[axis]) // 4) for axis in (0, 1))
    return ground.overlay(picture, x=left, y=top, eof_action="repeat")


def _end_sound(cut: Cut, gain_db: float) -> Any:
    fade_s = min(SOUND_FADE_S, cut.duration_s / 2)
    return (
        read_sound(cut)
        .filter("volume", f"{gain_db:.2f}dB")
        .filter("afade", type="in", duration=fade_s)
        .filter("afade", type="out", start_time=f"{cut.duration_s - fade_s:.6f}", duration=fade_s)
    )


def _image(file: str, frame_rate: Fraction, video: VideoStream | None) -> Any:
    """A prepared picture as one frame, coded by the matrix of the clip."""
    options = {"f": "image2", "pattern_type": "none", "framerate": _ratio(frame_rate), "protocol_whitelist": "file"}
    return ffmpeg.input(file, **options).filter("scale", out_color_matrix=_matrix(video), out_range="tv")


def _still(frame: Any, frames: int) -> Any:
    return frame.filter("loop", loop=-1, size=1).filter("trim", end_frame=frames)


def _clocked(picture: Any, frame_rate: Fraction, first: int = 0) -> Any:
    """Frame after frame at the clip's rate, the first one at the place of frame `first`."""
    settled = picture.filter("settb", f"{frame_rate.denominator}/{frame_rate.numerator}")
    return settled.filter("setpts", f"N+{first}")


def _tagged(picture: Any, video: VideoStream | None) -> Any:
    """With the tags that `finish_picture` leaves on the body: what an encoder writes, it takes from the first frame."""
    tag = plan_colours(video).tag
    named = (
        (tag, tag, tag) if tag or video is None else (video.color_space, video.color_transfer, video.color_primaries)
    )
    space, transfer, primaries = (name or "unknown" for name in named)
    tags = {"range": "tv", "colorspace": space, "color_trc": transfer, "color_primaries": primaries}
    return picture.filter("setsar", "1").filter("setparams", **tags)


def _matrix(video: VideoStream | None) -> str:
    tag = plan_colours(video).tag or (video.color_space if video else "bt709")
    return MATRICES.get(tag or "", "bt601")


def _exactly(sound: Any, samples: int) -> Any:
    settled = sound.filter("aresample", SAMPLE_RATE_HZ).filter("aformat", sample_fmts="flt", channel_layouts="stereo")
    return settled.filter("apad").filter("atrim", end_sample=samples).filter("asetpts", "N/SR/TB")


def _samples(frames: int, frame_rate: Fraction) -> int:
    return round(frames / frame_rate * SAMPLE_RATE_HZ)


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"
