"""Where captions may stand in a composed clip: clear of the mouth and of the slide's text, inside the safe areas.

Apps lay their controls over the top tenth, the bottom fifth and the right tenth of upright clips; the shares here are
heuristics that hold for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.boxes import Box, shared
from core.camera_path import box_at
from core.caption_places import LEAST_SCALE, Timed
from core.framing import TextBoxes
from core.framing_plan import Format, FramingPlan, Scene
from core.sights import Sighting

SAFE: dict[Format, tuple[float, float, float]] = {
    "vertical": (0.1, 0.8, 0.1), "square": (0.05, 0.95, 0.05), "source": (0.05, 0.95, 0.08)
}  # fmt: skip
"""Top and bottom of the safe area in parts of the height; what stays free on either side in parts of the width."""
FAVOURITE: dict[Format, float] = {"vertical": 0.7, "square": 0.86, "source": 0.86}
"""How far down captions look best, where nothing is in the way."""
LETTERS: dict[Format, float] = {"vertical": 1 / 16, "square": 1 / 18, "source": 1 / 32}
"""Height of the letters, in parts of the width, that a zone must have room for."""
TWO_LINES = 2.6
"""Two lines with their spacing and outline, in heights of letters."""
ROOMY = 1.5
"""A zone is at most so many times as tall as it must be."""
GAP = 0.3
"""Kept between captions and a mouth or text, in heights of letters."""
Clear = Literal["face and slide", "mouth and slide", "face and text", "mouth and text", "mouth", "nothing"]


@dataclass(frozen=True, slots=True)
class Zone:
    """Where captions may stand during [start_s, end_s), in pixels of the output."""

    start_s: float
    end_s: float
    box: Box
    clear: Clear
    """What the zone keeps clear of, for the whole of its time."""


def caption_zones(
    plan: FramingPlan,
    sightings: Sequence[Sighting],
    text_boxes: TextBoxes,
    *,
    start_s: float,
    covered: Sequence[Timed] = (),
) -> tuple[Zone, ...]:
    """For each scene, in order, the places for captions, best first; at least one a scene.

    A place that keeps clear of the whole face and the whole slide comes first. Where there is none, the chin may be
    covered, then the slide between its lines; where the text leaves no room, all but the mouth; else the usual place.

    Args:
        sightings: Of the speaker, on the recording's timeline, in order.
        text_boxes: Tells the lines of text on the slide at a time of the recording.
        start_s: Where in the recording the clip begins.
        covered: What is drawn over the picture, in pixels of the output, and when; no place but the last resort
            touches it. Times count from the clip's start.
    """
    zones: list[Zone] = []
    for scene in plan.scenes:
        drawn = [box for from_s, to_s, box in covered if from_s < scene.end_s and to_s > scene.start_s]
        zones += _scene_zones(plan, scene, sightings, text_boxes, start_s, drawn)
    return tuple(zones)


def _scene_zones(
    plan: FramingPlan,
    scene: Scene,
    sightings: Sequence[Sighting],
    text_boxes: TextBoxes,
    start_s: float,
    drawn: Sequence[Box],
) -> list[Zone]:
    faces, uppers, mouths, texts = [], [], [], []
    for seen in sightings:
        at_s = seen.time_s - start_s
        if scene.start_s <= at_s < scene.end_s:
            faces += shown_at(scene, at_s, seen.box)
            mouths += shown_at(scene, at_s, seen.mouth)
            uppers += shown_at(scene, at_s, down_to_mouth(seen))
    at_s = scene.start_s
    while at_s < scene.end_s:
        texts += [box for line in text_boxes(at_s + start_s) for box in shown_at(scene, at_s, line)]
        at_s += 1.0
    slides = [panel.target for panel in (scene.panels[:-1] if scene.ground == "plain" else scene.panels[:1])]
    levels: list[tuple[Clear, float, list[Box]]] = [
        ("face and slide", 1.0, faces + texts + slides),
        ("mouth and slide", 1.0, uppers + texts + slides),
        ("mouth and slide", LEAST_SCALE, uppers + texts + slides),
        ("face and text", 1.0, faces + texts),
        ("mouth and text", 1.0, uppers + texts),
        ("mouth and text", LEAST_SCALE, uppers + texts),
        ("mouth", 1.0, mouths),
        ("nothing", 1.0, []),
    ]
    for clear, scale, obstacles in levels:
        found = _free(plan, [*obstacles, *drawn] if clear != "nothing" else [], scale)
        if found:
            return [Zone(scene.start_s, scene.end_s, box, clear) for box in found]
    raise AssertionError("An empty safe area has room")


def down_to_mouth(seen: Sighting) -> Box:
    """A face without its chin: what captions keep clear of, for eyes are not covered either."""
    return Box(seen.box.x, seen.box.y, seen.box.w, max(1.0, seen.mouth.bottom - seen.box.y))


def shown_at(scene: Scene, time_s: float, box: Box) -> list[Box]:
    """Where `box`, a place in the recording, is seen in the output at a moment of the scene: in each panel once."""
    found = []
    for panel in scene.panels:
        view = box_at(panel.path, time_s)
        visible = shared(box, view)
        if visible:
            factors = panel.target.w / view.w, panel.target.h / view.h
            found.append(visible.moved(-view.x, -view.y).scaled(*factors).moved(panel.target.x, panel.target.y))
    return found


def _free(plan: FramingPlan, obstacles: Sequence[Box], scale: float) -> list[Box]:
    """Bands of the safe area that no obstacle touches and that two lines of letters smaller by `scale` fit into,
    nearest to the favourite first."""
    top, bottom, side = SAFE[plan.format]
    letters = scale * LETTERS[plan.format] * plan.width
    safe = Box(side * plan.width, top * plan.height, (1 - 2 * side) * plan.width, (bottom - top) * plan.height)
    least = min(TWO_LINES * letters, safe.h)
    in_way = sorted(
        (grown.y, grown.bottom) for box in obstacles if shared(grown := box.grown(GAP * letters, GAP * letters), safe)
    )
    bands, at = [], safe.y
    for begin, end in [*in_way, (safe.bottom, safe.bottom)]:
        if begin - at >= least - 1e-6:
            bands.append((at, begin))
        at = max(at, end)
    favourite = FAVOURITE[plan.format] * plan.height
    zones = []
    for begin, end in bands:
        height = min(end - begin, ROOMY * least)
        y = min(max(begin, favourite - height / 2), end - height)
        zones.append(Box(safe.x, y, safe.w, height))
    return sorted(zones, key=lambda zone: (abs(zone.centre[1] - favourite), zone.y))
