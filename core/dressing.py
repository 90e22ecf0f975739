"""How one chosen moment becomes clips: what is left out, what each format shows, what is written under it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from core.brand_graph import end_frames
from core.caption_files import ShownSlide, shown_slides, to_vtt
from core.caption_report import CaptionReport, caption_report
from core.captions import build_captions, retime
from core.cutting import bounds
from core.drawn_captions import Body, draw_captions
from core.framing import TextBoxes, plan_framing
from core.framing_override import overridden, overrides_for
from core.framing_plan import Format, FramingPlan
from core.kit import Kit
from core.production import Look, Production
from core.profanity import mask_words
from core.reading import CaptionRules
from core.records import Cue, Highlight, Span, Transcript, Word
from core.seen import Seen
from core.settings import Settings
from core.sights import Sighting, Slide
from core.tighten_plan import plan_tightening
from core.tightening import Tightening, preview

CHANGE_S = 0.5
"""So much around a change of the picture is never taken out."""


@dataclass(frozen=True, slots=True)
class Dressed:
    """A moment with everything that its clips are made by, and what is told about them."""

    span: Span
    production: Production
    words: tuple[Word, ...]
    """As the body plays: after tightening, before an intro."""
    cues: tuple[Cue, ...]
    slides: tuple[ShownSlide, ...]
    report: CaptionReport | None
    removals: tuple[dict[str, str | float], ...]
    """What is left out, or would be, on the recording's timeline."""


def dress(
    number: int, pick: Highlight, sightings: Sequence[Sighting], *, seen: Seen, kit: Kit, settings: Settings
) -> Dressed:
    """Plan the clips of `pick`, the `number`-th of its recording. Raises BadSetting for a framing that does not fit."""
    start_s, frames, rate = bounds(seen.info, pick.start_s, pick.end_s)
    span = Span(start_s, start_s + float(frames / rate))
    said, masked = mask_words(_words(seen.transcript, span), settings.writing.profanity)
    planned = _tightening(said, span, rate, seen, settings)
    applied = planned if planned and planned.removed and settings.look.tighten in ("pauses", "all") else None
    words = applied.retime(said) if applied else list(said)
    body_s = applied.shown_duration_s if applied else span.length_s
    body = Body(pick.title, span, words, body_s, sightings, seen, applied)
    looks, over = _looks(number, body, kit, settings)
    made = build_captions(words, end_s=body_s, condense=settings.writing.condense) if words else None
    cues = made.cues if made else ()
    shown = _shown_slides(seen.slides, span, applied)
    before_s = float(end_frames(kit.template, rate)[0] / rate) if kit.template else 0.0
    speaker = settings.writing.speaker
    production = Production(
        looks=looks,
        ladder=kit.ladder,
        cues=cues,
        tightening=applied,
        template=kit.template,
        speaker=speaker,
        subtitles=to_vtt(shifted(cues, before_s), speaker=speaker or None) if cues and settings.rendering.hls else None,
        language=seen.transcript.language if seen.transcript else None,
    )
    report = None
    if made:
        report = caption_report(
            cues,
            CaptionRules(),
            left_out=made.left_out,
            corrected=[
                replace(each, start_s=round(each.start_s - span.start_s, 3))
                for each in seen.corrections
                if span.start_s <= each.start_s < span.end_s
            ],
            masked=masked,
            over_text=over[0],
            over_mouth=over[1],
        )
    rows = preview(planned, said, clip_start_s=span.start_s) if planned else []
    return Dressed(span, production, tuple(words), cues, shown, report, tuple(rows))


def shifted(cues: Sequence[Cue], by_s: float) -> list[Cue]:
    """The same captions later, as behind an intro."""
    if not by_s:
        return list(cues)
    return [replace(cue, start_s=round(cue.start_s + by_s, 3), end_s=round(cue.end_s + by_s, 3)) for cue in cues]


def _words(transcript: Transcript | None, span: Span) -> list[Word]:
    near = [s for s in transcript.sentences if s.start_s < span.end_s and s.end_s > span.start_s] if transcript else []
    return retime([word for sentence in near for word in sentence.words], span.start_s, span.end_s)


def _tightening(words: Sequence[Word], span: Span, rate: Fraction, seen: Seen, settings: Settings) -> Tightening | None:
    """What could be left out of the clip; None where nobody asked."""
    mode = settings.look.tighten
    if mode == "no" or seen.info.audio is None:
        return None
    level = None
    if seen.level_dbfs is not None:
        level = seen.level_dbfs[round(span.start_s / seen.hop_s) : round(span.end_s / seen.hop_s)]
    changes_s = [slide.start_s - span.start_s for slide in seen.slides if span.start_s < slide.start_s < span.end_s]
    language = seen.transcript.language if seen.transcript else None
    return plan_tightening(
        words,
        duration_s=span.length_s,
        frame_rate=rate,
        level_dbfs=level,
        hop_s=seen.hop_s,
        silences=[
            (max(0.0, s.start_s - span.start_s), min(s.end_s, span.end_s) - span.start_s)
            for s in seen.silences
            if s.start_s < span.end_s and s.end_s > span.start_s
        ],
        fillers=mode != "pauses",
        language=language or "en",
        busy=[(max(0.0, t - CHANGE_S), t + CHANGE_S) for t in changes_s],
    )


def _looks(
    number: int, body: Body, kit: Kit, settings: Settings
) -> tuple[tuple[Look, ...], tuple[list[float], list[float]]]:
    """Each format's plan and captions; and when captions of the first stand over text, and over a mouth."""
    span, seen = body.span, body.seen
    chosen = overrides_for(kit.overrides, clip=number, start_s=span.start_s, end_s=span.end_s)
    looks: list[Look] = []
    over: tuple[list[float], list[float]] = ([], [])
    for format in kit.formats:
        plan = _plan(format, span, body.sightings, seen, settings)
        own = chosen.get(format)
        if own:
            plan = overridden(own, plan, size=seen.size)
        drawn = None
        if settings.rendering.burn_captions and body.words:
            drawn, found = draw_captions(plan, body, kit, settings)
            over = found if not looks else over
        looks.append(Look(plan, drawn, free=own is not None))
    return tuple(looks), over


def _plan(format: Format, span: Span, sightings: Sequence[Sighting], seen: Seen, settings: Settings) -> FramingPlan:
    text_boxes: TextBoxes = seen.text_boxes
    return plan_framing(
        format,
        size=seen.size,
        start_s=span.start_s,
        end_s=span.end_s,
        layouts=seen.layouts,
        sightings=sightings,
        text_boxes=text_boxes,
        max_height=settings.rendering.max_height,
        cuts_s=[slide.start_s for slide in seen.slides if span.start_s < slide.start_s < span.end_s],
    )


def _shown_slides(slides: Sequence[Slide], span: Span, applied: Tightening | None) -> tuple[ShownSlide, ...]:
    shown = shown_slides(slides, span)
    if applied is None:
        return tuple(shown)
    found = [
        replace(s, start_s=applied.shown_s(s.start_s), end_s=applied.shown_s(s.end_s))
        for s in shown
        if _stays(s, applied)
    ]
    return tuple(found)


def _stays(slide: ShownSlide, applied: Tightening) -> bool:
    return applied.shown_s(slide.end_s) > applied.shown_s(slide.start_s)
