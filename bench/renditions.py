"""What a clip's renditions cost beside the largest alone, and how good they look: CPU seconds, sizes, PSNR, SSIM, VMAF.

    python -m bench.renditions RECORDING [--start 100] [--seconds 20] [--preset veryfast] [--repeats 3]

CPU seconds are user and system time of ffmpeg alone, the least of the repeats, since other work on the machine only
ever adds to it. The picture is read, scaled and encoded as the renderer does it, sound included; captions are not
drawn. Two lines are of whole clips as a run makes them: sound measured and levelled, all files checked against the
recording, the poster. Each rendition is compared with the clip's picture scaled to the same size by Lanczos. VMAF only
where this ffmpeg has it; it is made for pictures seen at 1080 lines, so that of a small one says how it looks on a
small screen.
"""

import argparse
import re
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import ffmpeg

from core import media
from core.cutting import Cut, arguments, plan_cut, read_picture, read_sound
from core.dressing import dress
from core.encoders import choose_encoder
from core.kit import load_kit
from core.ladder import DEFAULT_LADDER, Ladder, Planned, plan_renditions
from core.picture import clip_size, finish_picture, plan_colours
from core.probe import probe
from core.records import Highlight
from core.rendering import render_clip
from core.renditions import outputs, rendition_name
from core.seen import Seen
from core.settings import RenderSettings, Settings

TIMEOUT_S = 600
MEASURES = {
    "psnr": r"\baverage:([\d.]+|inf)",
    "ssim": r"\bAll:([\d.]+)",
    "libvmaf": r"VMAF score: ([\d.]+)",
}


def child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def render(cut: Cut, planned: tuple[Planned, ...], settings: RenderSettings, folder: Path) -> float:
    """CPU seconds of making `planned` in one run of ffmpeg."""
    assert cut.info.video
    size = clip_size(cut.info.video, settings.max_height)
    shown = finish_picture(read_picture(cut, threads=1), cut.info.video, size, plan_colours(cut.info.video))
    nodes = outputs(
        shown,
        read_sound(cut) if cut.info.audio else None,
        planned,
        encoder=choose_encoder("x264"),
        crf=settings.quality_crf,
        preset=settings.encoder_preset,
        threads=1,
        frame_rate=cut.frame_rate,
        title="Renditions",
        folder=folder,
        aligned=True,
    )
    call = ["-filter_complex_threads", "1", *arguments(ffmpeg.merge_outputs(*nodes))]
    before = child_seconds()
    media.run_ffmpeg(call, what=f"Rendering {len(planned)} renditions", timeout_s=TIMEOUT_S)
    return child_seconds() - before


def finished(recording: Path, start_s: float, end_s: float, ladder: Ladder, settings: RenderSettings) -> float:
    """CPU seconds of a whole clip in the sizes of `ladder`: of ffmpeg, and of this process for checks and sound."""
    info = probe(recording)
    pick = Highlight(1, start_s, end_s, 1.0, 0, 0, "Renditions", "", {})
    kit = replace(load_kit(Settings()), ladder=ladder)
    made = dress(1, pick, (), seen=Seen(info, None, (), (), (), None, 1.0), kit=kit, settings=Settings())
    before = child_seconds() + time.process_time()
    with tempfile.TemporaryDirectory(prefix="clip-") as scratch:
        done = render_clip(
            recording, info, start_s, end_s, settings=settings, encoder=kit.encoder, title="Renditions",
            production=made.production, folder=Path(scratch), threads=1,
        )  # fmt: skip
        assert done.rejected is None, done.rejected
    return child_seconds() + time.process_time() - before


def likeness(made: Path, top: Path, one: Planned, measure: str) -> str:
    """How near a rendition is to the clip itself, which stands for the recording."""
    reference = ffmpeg.input(media.file_url(top), **media.input_options("mov")).video
    reference = reference.filter("scale", one.width, one.height, flags="lanczos+accurate_rnd").filter("setsar", 1)
    seen = ffmpeg.input(media.file_url(made), **media.input_options("mov")).video
    output = ffmpeg.output(ffmpeg.filter([seen, reference], measure), "-", f="null")
    try:
        said = media.run_ffmpeg(
            ["-loglevel", "info", *ffmpeg.get_args(output)], what=f"Measuring {measure}", timeout_s=TIMEOUT_S
        )
    except media.MediaError:  # this ffmpeg was built without it
        return "-"
    found = re.findall(MEASURES[measure], said)
    return found[-1][:6] if found else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--start", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    settings = RenderSettings(encoder_preset=given.preset)
    cut = plan_cut(given.recording, probe(given.recording), given.start, given.start + given.seconds)
    planned = plan_renditions(clip_size(cut.info.video, settings.max_height), DEFAULT_LADDER)
    with tempfile.TemporaryDirectory(prefix="renditions-") as scratch:
        folder = Path(scratch)
        spent: dict[int, float] = {}
        for count in range(1, len(planned) + 1):
            spent[count] = min(render(cut, planned[:count], settings, folder) for _ in range(given.repeats))
            print(f"{count} of {len(planned)}: {spent[count]:.2f} CPU s, {spent[count] / spent[1]:.2f} x one")
        end_s = given.start + given.seconds
        one, all_of_them = (
            min(finished(given.recording, given.start, end_s, ladder, settings) for _ in range(given.repeats))
            for ladder in (DEFAULT_LADDER[:1], DEFAULT_LADDER)
        )
        print(f"a finished clip, one size: {one:.2f} CPU s")
        print(f"a finished clip, {len(planned)} sizes: {all_of_them:.2f} CPU s, {all_of_them / one:.2f} x one")
        sharp = folder / "sharp.mp4"
        assert cut.info.video
        size = clip_size(cut.info.video, settings.max_height)
        shown = finish_picture(read_picture(cut, threads=1), cut.info.video, size, plan_colours(cut.info.video))
        exact = ffmpeg.output(shown, media.file_url(sharp), **{"c:v": "libx264", "preset": "ultrafast", "qp": 4})
        media.run_ffmpeg(arguments(exact), what="Keeping the picture as it was", timeout_s=TIMEOUT_S)
        print("\n| rendition | size | kbit/s | PSNR | SSIM | VMAF |\n| --- | --- | --- | --- | --- | --- |")
        for place, one in enumerate(planned):
            made = folder / ("clip.mp4" if place == 0 else rendition_name(one, "clip"))
            kbps = made.stat().st_size * 8 / 1000 / cut.duration_s
            cells = " | ".join(likeness(made, sharp, one, measure) for measure in MEASURES)
            print(f"| {one.name} | {one.width}x{one.height} | {kbps:.0f} | {cells} |")


if __name__ == "__main__":
    main()
