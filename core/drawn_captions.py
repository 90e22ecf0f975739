"""Captions drawn into one format of a clip: in lines that fit it, and where nothing is in the way."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.brand_assets import prepare_assets
from core.caption_ass import block_sizes, burn_rules, to_ass
from core.caption_places import Room, Timed, Zone, free_zones, place, standing_over
from core.caption_zones import caption_zones, down_to_mouth, shown_at
from core.captions import build_captions
from core.framing_plan import FramingPlan, Scene
from core.kit import Kit
from core.records import Span, Word
from core.seen import Seen
from core.settings import Settings
from core.sights import Sighting
from core.tightening import Tightening

OFF_SLIDE = ("face and slide", "mouth and slide")
SIGHTING_S = 0.4
"""A sighting stands for so much time after it."""


@dataclass(frozen=True, slots=True)
class Body:
    """A clip without what a template puts before and behind it, and what is known of it."""

    title: str
    span: Span
    """Of the recording."""
    words: Sequence[Word]
    """What is said, as the body plays."""
    length_s: float
    """How long it plays: shorter than the span where it was tightened."""
    sightings: Sequence[Sighting]
    seen: Seen
    applied: Tightening | None


def draw_captions(
    plan: FramingPlan, body: Body, kit: Kit, settings: Settings
) -> tuple[str, tuple[list[float], list[float]]]:
    """Captions to draw into one format, as ASS; and when they stand over text, and over a mouth.

    A lower third that shows the clip's title covers more of the picture.
    """
    width, height = plan.width, plan.height
    covered = _covered(body, kit, settings, (width, height))
    cut = _cut_up(plan, body, covered)
    zones = _timed(_zones(cut, body, covered), body)
    room_px = min((zone.box.w for zone in zones), default=float(width))
    rules = burn_rules(width, height, style=kit.style, metrics=kit.metrics, room_px=room_px)
    made = build_captions(body.words, end_s=body.length_s, rules=rules, condense=settings.writing.condense)
    blocks = block_sizes(made.cues, width_px=width, height_px=height, style=kit.style, metrics=kit.metrics)
    places = place(made.cues, zones, blocks, width_px=width, height_px=height, at_top=kit.style.stands == "top")
    ass = to_ass(made.spoken, width_px=width, height_px=height, style=kit.style, metrics=kit.metrics, places=places)
    texts, mouths = _things(cut, body)
    over = [standing_over(made.cues, places, blocks, things) for things in (texts, mouths)]
    return ass, (over[0], over[1])


def _zones(plan: FramingPlan, body: Body, covered: Sequence[Timed]) -> list[Room]:
    """Where captions may stand, before tightening, the best of each time first.

    In a wide picture they may stand beside an inset, which is better than in the middle of a slide.
    """
    bands = caption_zones(plan, body.sightings, body.seen.text_boxes, start_s=body.span.start_s, covered=covered)
    if plan.format != "source":
        return list(bands)
    found: list[Room] = []
    for scene in plan.scenes:
        own = [band for band in bands if band.start_s == scene.start_s]
        off_slide = any(band.clear in OFF_SLIDE for band in own)
        found += own if off_slide else [*_strips(plan, scene, body, covered), *own]
    return found


def _strips(plan: FramingPlan, scene: Scene, body: Body, covered: Sequence[Timed]) -> list[Zone]:
    """Free parts of a scene's picture that need not be as wide as it."""
    begin_s = body.span.start_s
    during = scene.start_s, scene.end_s
    faces = [
        (*during, box)
        for each in body.sightings
        if scene.start_s <= each.time_s - begin_s < scene.end_s
        for box in shown_at(scene, each.time_s - begin_s, down_to_mouth(each))
    ]
    middle_s = (scene.start_s + scene.end_s) / 2
    lines = body.seen.text_boxes(middle_s + begin_s)
    texts = [(*during, box) for line in lines for box in shown_at(scene, middle_s, line)]
    return free_zones((plan.width, plan.height), faces, [*texts, *covered], *during)


def _covered(body: Body, kit: Kit, settings: Settings, size: tuple[int, int]) -> list[Timed]:
    """What the template draws over the picture, and when, on the clip's time before tightening."""
    applied, length_s = body.applied, body.length_s
    if kit.template is None:
        return []
    with tempfile.TemporaryDirectory() as work:
        speaker = settings.writing.speaker or None
        made = prepare_assets(
            kit.template, Path(work), size=size, duration_s=length_s, title=body.title, speaker=speaker
        )
    edges = [(start_s, min(end_s, length_s), box) for start_s, end_s, box in made.occupied]
    return [(applied.source_s(a), applied.source_s(b), box) for a, b, box in edges] if applied else edges


def _cut_up(plan: FramingPlan, body: Body, covered: Sequence[Timed]) -> FramingPlan:
    """The same plan with a scene for each slide, layout and thing drawn over it: what is free changes there."""
    times_s = [each.start_s - body.span.start_s for each in (*body.seen.slides, *body.seen.layouts)]
    times_s += [time_s for start_s, end_s, _ in covered for time_s in (start_s, end_s)]
    scenes: list[Scene] = []
    for scene in plan.scenes:
        inside = sorted({t for t in times_s if scene.start_s < t < scene.end_s})
        edges = [scene.start_s, *inside, scene.end_s]
        scenes += [replace(scene, start_s=a, end_s=b) for a, b in zip(edges, edges[1:], strict=False)]
    return replace(plan, scenes=tuple(scenes))


def _timed(zones: Sequence[Room], body: Body) -> list[Zone]:
    """Zones as the body plays, in order, the best of each time first."""
    applied = body.applied
    found: list[Zone] = []
    for zone in zones:
        start_s = applied.shown_s(zone.start_s) if applied else zone.start_s
        end_s = min(body.length_s, applied.shown_s(zone.end_s) if applied else zone.end_s)
        if end_s > start_s:
            found.append(Zone(start_s, end_s, zone.box))
    return found


def _things(plan: FramingPlan, body: Body) -> tuple[list[Timed], list[Timed]]:
    """Lines of text and mouths in pixels of the output, as the body plays."""
    applied, from_s = body.applied, body.span.start_s

    def shown_s(time_s: float) -> float:
        return applied.shown_s(time_s) if applied else time_s

    texts: list[Timed] = []
    mouths: list[Timed] = []
    for scene in plan.scenes:
        begin_s, end_s = shown_s(scene.start_s), shown_s(scene.end_s)
        middle_s = (scene.start_s + scene.end_s) / 2
        for line in body.seen.text_boxes(middle_s + from_s):
            texts += [(begin_s, end_s, box) for box in shown_at(scene, middle_s, line)]
        for sighting in body.sightings:
            at_s = sighting.time_s - from_s
            if scene.start_s <= at_s < scene.end_s:
                mouths += [
                    (shown_s(at_s), shown_s(at_s + SIGHTING_S), box) for box in shown_at(scene, at_s, sighting.mouth)
                ]
    return texts, mouths
