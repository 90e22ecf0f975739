"""Where slide and speaker stand in each layout, and the one ffmpeg run that makes the film of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
from page import HEIGHT, MUTED, NIGHT, WIDTH
from PIL import Image
from slides import Slide
from talk import Layout

from core import media

FPS = 25
Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
Stream = Any
"""A node of ffmpeg-python's graph; that library has no types."""

SLIDE_BOX: dict[Layout, Box | None] = {
    "slides": (0, 0, WIDTH, HEIGHT),
    "pip": (0, 0, WIDTH, HEIGHT),
    "side": (0, 120, 852, 480),
    "camera": None,
}
FACE_BOX: dict[Layout, Box | None] = {
    "slides": None,
    "pip": (944, 524, 320, 180),
    "side": (852, 120, 428, 480),
    "camera": (0, 0, WIDTH, HEIGHT),
}
FACE_CROP: dict[Layout, Box] = {"pip": (120, 6, 192, 108), "side": (116, 4, 160, 180), "camera": (124, 2, 192, 108)}
"""What of the 320x240 source is shown: the man who speaks, above the caption that slides in at its foot."""
FRAME_PX = 3
ENCODE_TIMEOUT_S = 1800.0
VIDEO = {
    "vcodec": "libx264",
    "preset": "slow",
    "crf": 30,
    "psy-rd": "0.4:0",  # the speaker is enlarged five times: there is no true grain to keep
    "g": 4 * FPS,
    "threads": 2,  # x264's output depends on it
    "pix_fmt": "yuv420p",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "color_range": "tv",
}
AUDIO = {"acodec": "aac", "audio_bitrate": "64k", "ac": 1}
CONTAINER = {"f": "mp4", "movflags": "+faststart", "fflags": "+bitexact"}


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [first, last) with one layout and one slide."""

    first: int
    last: int
    layout: Layout
    slide: str | None

    @property
    def start_s(self) -> float:
        return self.first / FPS

    @property
    def end_s(self) -> float:
        return self.last / FPS

    @property
    def slide_box(self) -> Box | None:
        return SLIDE_BOX[self.layout]

    @property
    def face_box(self) -> Box | None:
        return FACE_BOX[self.layout]


def still(shot: Shot, pages: dict[str, Slide]) -> Image.Image:
    """The picture of a shot, with a hole where the speaker goes. Raises ValueError if a text would be covered."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), NIGHT)
    if shot.slide and shot.slide_box:
        x, y, width, height = shot.slide_box
        canvas.paste(pages[shot.slide].image.resize((width, height), Image.Resampling.LANCZOS), (x, y))
    if shot.layout == "pip" and shot.slide and shot.face_box:
        x, y, width, height = shot.face_box
        if any(box[2] > x - 8 and box[3] > y - 8 for box in pages[shot.slide].text_boxes):
            raise ValueError(f"the speaker covers text of the slide {shot.slide!r}")
        canvas.paste(MUTED, (x - FRAME_PX, y - FRAME_PX, x + width + FRAME_PX, y + height + FRAME_PX))
    return canvas


def encode(shots: list[Shot], pages: dict[str, Slide], face: Path, sound: Path, target: Path, scratch: Path) -> None:
    """Write the film of `shots` with the sound file `sound` to `target`. Raises MediaError if ffmpeg fails."""
    list_path = list_stills(shots, pages, scratch)
    # `fps` repeats each still until the next one.
    picture = (
        ffmpeg.input(media.file_url(list_path), f="concat", safe=0, protocol_whitelist="file")
        .filter("fps", FPS)
        .filter("scale", out_color_matrix="bt709", out_range="tv")
        .filter("format", "yuv420p")
    )
    used: list[Layout] = [layout for layout in FACE_CROP if any(shot.layout == layout for shot in shots)]
    speakers = speaker(face).filter_multi_output("split", len(used))
    for i, layout in enumerate(used):
        picture = seat(picture, speakers[i], layout, [shot for shot in shots if shot.layout == layout])
    audio = ffmpeg.input(media.file_url(sound), f="wav", protocol_whitelist="file").audio.filter("aresample", 48_000)
    target_url, duration_s = media.file_url(target), shots[-1].end_s
    stream = ffmpeg.output(picture, audio, target_url, t=duration_s, map_metadata=-1, **VIDEO, **AUDIO, **CONTAINER)
    media.run_ffmpeg(stream.get_args(), what=f"Encoding {target.name}", timeout_s=ENCODE_TIMEOUT_S)


def list_stills(shots: list[Shot], pages: dict[str, Slide], scratch: Path) -> Path:
    """Draw every shot into `scratch`; returns a list of them for ffmpeg's concat demuxer."""
    listing: list[str] = []
    for i, shot in enumerate(shots):
        name = f"shot{i:02}.png"
        still(shot, pages).save(scratch / name)
        listing += [f"file {name}", f"duration {shot.end_s - shot.start_s:.2f}"]
    last = listing[-2]  # the demuxer heeds a duration only where another entry follows
    path = scratch / "shots.txt"
    path.write_text("\n".join([*listing, last]), encoding="utf-8")
    return path


def speaker(face: Path) -> Stream:
    """The face without end: forwards, then backwards, so that no jump shows where the loop closes."""
    source = ffmpeg.input(media.file_url(face), f="mov", protocol_whitelist="file").video.filter("fps", FPS)
    source = source.filter("hqdn3d", 3, 3, 9, 9)  # enlarged noise would take half of the file
    halves = source.filter_multi_output("split", 2)
    there_and_back = ffmpeg.concat(halves[0], halves[1].filter("reverse"))
    return there_and_back.filter("loop", loop=-1, size=32_767).filter("setpts", f"N/({FPS}*TB)")


def seat(picture: Stream, face: Stream, layout: Layout, shots: list[Shot]) -> Stream:
    """`picture` with the speaker laid over it during `shots`, which all have `layout`."""
    box = FACE_BOX[layout]
    assert box is not None
    x, y, width, height = box
    left, top, crop_width, crop_height = FACE_CROP[layout]
    seated = (
        face.filter("crop", crop_width, crop_height, left, top)
        .filter("scale", width, height, flags="lanczos", in_color_matrix="bt601", out_color_matrix="bt709")
        .filter("setsar", 1)
        .filter("format", "yuv420p")
    )
    shown = "+".join(f"between(n,{shot.first},{shot.last - 1})" for shot in shots)
    return picture.overlay(seated, x=x, y=y, enable=shown)
