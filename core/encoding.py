"""The one pass in which a clip is encoded: one decode, then every format and every size of it."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from core import media, picture
from core.brand_assets import Prepared, prepare_assets
from core.brand_graph import brand, with_ends
from core.cutting import Cut, arguments, read_picture
from core.encoders import Encoder
from core.framing_graph import compose
from core.ladder import Planned, plan_renditions
from core.loudness import Levelling
from core.production import Look, MadeFile, Production, look_stem
from core.renditions import outputs, rendition_name
from core.settings import RenderSettings
from core.tighten_graph import tighten_picture

SOUND, TIGHT = "sound.wav", "tight.wav"


def made_files(production: Production) -> tuple[MadeFile, ...]:
    """The files that a pass writes, the clip itself first."""
    return tuple(
        MadeFile(
            look.plan.format,
            one.name,
            f"{look_stem(number, look)}.mp4" if place == 0 else rendition_name(one, look_stem(number, look)),
            one.width,
            one.height,
        )
        for number, look in enumerate(production.looks)
        for place, one in enumerate(_planned(production, look))
    )


def encode_call(
    production: Production,
    cut: Cut,
    levelling: Levelling | None,
    *,
    settings: RenderSettings,
    encoder: Encoder,
    title: str,
    folder: Path,
    work: Path,
    threads: int,
) -> tuple[list[str], tuple[str, ...]]:
    """The arguments of ffmpeg, to be run in `work`, that write every file of `made_files` into `folder`; and warnings.

    The clip's sound lies in `work`; captions, fonts and the brand's pictures are put there. Raises BadSetting and
    MediaError.
    """
    picture.copy_fonts(work)
    sound = None
    if levelling:
        name = TIGHT if production.tightening and production.tightening.removed else SOUND
        sound = levelling.apply(ffmpeg.input(media.file_url(work / name), **media.input_options("wav")).audio)
    looks = production.looks
    if cut.info.video:
        shown = read_picture(cut, threads=threads)
        pictures = [shown] if len(looks) == 1 else [shown.split()[number] for number in range(len(looks))]
        sounds = _copies(sound, len(looks))
    else:
        assert sound is not None
        (work / "title.ass").write_text(picture.title_ass(title), encoding="utf-8")
        split = _copies(sound.filter("aformat", channel_layouts="stereo"), len(looks) + 1)
        drawn = picture.generated_picture(
            split[-1], production.body_frames(cut.frames), picture.shown_size(cut.info.video)
        )
        sounds, pictures = split[:-1], [drawn] if len(looks) == 1 else [drawn.split()[n] for n in range(len(looks))]
    warnings: list[str] = []
    nodes: list[Any] = []
    for number, (look, seen, heard) in enumerate(zip(looks, pictures, sounds, strict=True)):
        finished, prepared = _dressed(production, look, number, seen, cut, settings, title, work)
        if prepared:
            warnings += [warning for warning in prepared.warnings if warning not in warnings]
            frames = production.body_frames(cut.frames)
            video, rate = cut.info.video, cut.frame_rate
            finished, heard = with_ends(finished, heard, prepared, frames=frames, frame_rate=rate, video=video)
        nodes += outputs(
            finished,
            heard,
            _planned(production, look),
            encoder=encoder,
            crf=settings.quality_crf,
            preset=settings.encoder_preset,
            threads=threads,
            frame_rate=cut.frame_rate,
            title=title,
            folder=folder,
            aligned=settings.hls,
            stem=look_stem(number, look),
            keyframes=_joints(production, cut),
        )
    output = nodes[0] if len(nodes) == 1 else ffmpeg.merge_outputs(*nodes)
    return ["-filter_complex_threads", str(threads), *arguments(output)], tuple(warnings)


def _dressed(
    production: Production,
    look: Look,
    number: int,
    seen: Any,
    cut: Cut,
    settings: RenderSettings,
    title: str,
    work: Path,
) -> tuple[Any, Prepared | None]:
    """The finished picture of one format, without intro and outro, and the brand made ready for it."""
    video, rate = cut.info.video, cut.frame_rate
    colours = picture.plan_colours(video)
    if look.untouched:
        finished = (
            picture.finish_picture(seen, video, look.size, colours) if video else seen.filter("scale", *look.size)
        )
    else:
        whole = picture.finish_picture(seen, video, picture.shown_size(cut.info.video), colours) if video else seen
        finished = compose(
            whole, look.plan, shown_size=picture.shown_size(cut.info.video), frame_rate=rate, frames=cut.frames
        )
    if production.tightening and video:
        finished = tighten_picture(finished, production.tightening)
    prepared = None
    if production.template:
        prepared = prepare_assets(
            production.template,
            work,
            size=look.size,
            duration_s=float(production.body_frames(cut.frames) / rate),
            title=title,
            speaker=production.speaker or None,
            loudness_lufs=settings.loudness_lufs,
            label=str(number),
        )
        finished = brand(finished, prepared, frame_rate=rate, video=video)
    if look.captions:
        name = f"captions-{number}.ass"
        (work / name).write_text(look.captions, encoding="utf-8")
        finished = picture.burn_captions(finished, name)
    return finished, prepared


def _planned(production: Production, look: Look) -> tuple[Planned, ...]:
    return plan_renditions(look.size, production.ladder)


def _copies(sound: Any | None, count: int) -> list[Any]:
    if sound is None or count == 1:
        return [sound] * count
    split = sound.filter_multi_output("asplit", count)
    return [split[number] for number in range(count)]


def _joints(production: Production, cut: Cut) -> list[int]:
    """Frames at which the body and the outro begin: a reel cuts there."""
    before, after = production.ends(cut.frame_rate)
    body = before + production.body_frames(cut.frames)
    return [frame for frame, there in ((before, before), (body, after)) if there]


def total_cut_frames(production: Production, cut: Cut) -> int:
    """How many frames the finished files have."""
    return production.body_frames(cut.frames) + sum(production.ends(cut.frame_rate))


def body_span_s(production: Production, cut: Cut) -> tuple[float, float]:
    """Where in the finished files the clip itself lies, between intro and outro."""
    before, _ = production.ends(cut.frame_rate)
    rate: Fraction = cut.frame_rate
    return float(before / rate), float((before + production.body_frames(cut.frames)) / rate)
