"""A person's own framing of a clip, in place of the planned one: read from JSON, checked, turned into a plan.

The file holds a list. Each entry names a clip, by its number or by a time of the recording inside it (which stays right
when other clips come or go), and gives a framing for one or more of the formats `vertical`, `square` and `source`:

    [
     {"clip": 1, "vertical": {"crop": [420, 0, 405, 720]}},
     {"at_s": 123.4, "square": {"scenes": [...]}, "vertical": {"crop": [0, 0, 1280, 720]}}
    ]

`crop` is [x, y, width, height] in pixels of the recording as it is shown: that part is shown throughout, filling the
picture if it has its shape, else whole over a blurred ground. `scenes` has the form in which plans are published, times
from the clip's start, and `width` and `height` may stand beside it as they do there: the size that its targets count
in. The last scene is made to end with the clip.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.boxes import Box, shared
from core.compositions import Canvas, fitted
from core.errors import BadSetting
from core.framing_plan import EVEN_PX, Format, FramingPlan, Panel, Scene, Station

FORMATS: tuple[Format, ...] = ("source", "vertical", "square")
SAME_SHAPE = 0.01
"""Aspects that differ by less than this part are filled, not fitted."""
MOST_BYTES = 16 * 1024**2
MOST_PX = 8_192
_scenes = TypeAdapter(tuple[Scene, ...])


@dataclass(frozen=True, slots=True)
class Override:
    """A person's framing of one clip in one format: either `crop` or `scenes` is there."""

    crop: Box | None = None
    scenes: tuple[Scene, ...] = ()
    size: tuple[int, int] | None = None
    """Width and height that the targets of `scenes` count in; None: those of the planned clip."""


@dataclass(frozen=True, slots=True)
class ClipOverride:
    """What a person says of one clip: named by `clip`, its number from 1, or by `at_s`, a time inside it."""

    clip: int | None
    at_s: float | None
    formats: dict[Format, Override]


def load_overrides(path: Path) -> tuple[ClipOverride, ...]:
    """What `path` says. Raises BadSetting, naming the entry and the field, for anything that it should not say."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadSetting(f"Reading the framing in {path}: it is larger than {MOST_BYTES} bytes.")
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadSetting(f"Reading the framing in {path}: {error}. Give a file of JSON that can be read.") from error
    if not isinstance(entries, list):
        raise BadSetting(f"Reading the framing in {path}: it must be a list of clips, [{{...}}, ...].")
    return tuple(_clip(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, 1))


def overrides_for(
    overrides: Sequence[ClipOverride], *, clip: int, start_s: float, end_s: float
) -> dict[Format, Override]:
    """What is said of clip number `clip`, which lies at [start_s, end_s) in the recording; the last word counts."""
    found: dict[Format, Override] = {}
    for entry in overrides:
        if entry.clip == clip or (entry.at_s is not None and start_s <= entry.at_s < end_s):
            found |= entry.formats
    return found


def overridden(override: Override, planned: FramingPlan, *, size: tuple[int, int]) -> FramingPlan:
    """The plan that a person wants instead of `planned`, as long as it is; `size` is the recording's, as shown.

    Raises BadSetting where the boxes do not lie in the picture, or the scenes do not fit the clip.
    """
    length_s = planned.scenes[-1].end_s
    if override.crop:
        return replace(planned, scenes=(_still(override.crop, planned, size, length_s),))
    width, height = override.size or (planned.width, planned.height)
    last = override.scenes[-1]
    if last.start_s >= length_s:
        raise BadSetting(
            f"The framing of a clip in {planned.format} has a scene from {last.start_s:g} s on, but the clip is only"
            f" {length_s:g} s long: remove it."
        )
    for number, scene in enumerate(override.scenes, 1):
        for panel in scene.panels:
            _check_panel(panel, f"scene {number} of the framing in {planned.format}", (width, height), size)
    scenes = (*override.scenes[:-1], replace(last, end_s=length_s))
    return FramingPlan(planned.format, width, height, scenes)


def _still(crop: Box, planned: FramingPlan, size: tuple[int, int], length_s: float) -> Scene:
    inside = shared(crop, Box(0, 0, *size))
    if inside is None:
        raise BadSetting(
            f"The crop {_shown(crop)} for {planned.format} lies outside the picture of {size[0]}x{size[1]}:"
            " give [x, y, width, height] in its pixels."
        )
    canvas = Canvas(planned.format, planned.width, planned.height, 0.0, length_s)
    aspect = planned.width / planned.height
    if abs(inside.w / inside.h / aspect - 1) < SAME_SHAPE:
        return canvas.scene(Panel(canvas.area, (Station(0.0, inside),)))
    return fitted(canvas, inside)


def _check_panel(panel: Panel, where: str, output: tuple[int, int], size: tuple[int, int]) -> None:
    target = panel.target
    if any(value % EVEN_PX for value in (target.x, target.y, target.w, target.h)):
        raise BadSetting(f"The target {_shown(target)} in {where} must lie on whole even pixels.")
    if not Box(0, 0, *output).contains(target):
        raise BadSetting(f"The target {_shown(target)} in {where} reaches outside the clip's {output[0]}x{output[1]}.")
    for station in panel.path:
        if shared(station.box, Box(0, 0, *size)) is None:
            raise BadSetting(
                f"The box {_shown(station.box)} at {station.time_s:g} s in {where} lies outside the recording's picture"
                f" of {size[0]}x{size[1]}."
            )


def _clip(entry: Any, where: str) -> ClipOverride:
    if not isinstance(entry, dict):
        raise BadSetting(f"Reading the framing in {where}: it must be an object, {{...}}.")
    unknown = sorted(set(entry) - {"clip", "at_s", *FORMATS})
    if unknown:
        raise BadSetting(f"Reading the framing in {where}: {unknown[0]!r} is unknown; use clip or at_s, and {FORMATS}.")
    clip, at_s = entry.get("clip"), entry.get("at_s")
    if (clip is None) == (at_s is None):
        raise BadSetting(f"Reading the framing in {where}: name the clip by either clip or at_s.")
    if clip is not None and not (type(clip) is int and clip >= 1):
        raise BadSetting(f"Reading the framing in {where}: clip must be a whole number from 1, got {clip!r}.")
    if at_s is not None and not (type(at_s) in (int, float) and 0 <= at_s < float("inf")):
        raise BadSetting(f"Reading the framing in {where}: at_s must be a time in seconds, got {at_s!r}.")
    formats: dict[Format, Override] = {
        name: _override(entry[name], f"{where}, {name}") for name in FORMATS if name in entry
    }
    if not formats:
        raise BadSetting(f"Reading the framing in {where}: it gives no framing; add vertical or square.")
    return ClipOverride(clip, at_s if at_s is None else float(at_s), formats)


def _override(value: Any, where: str) -> Override:
    if not isinstance(value, dict) or ("crop" in value) == ("scenes" in value):
        raise BadSetting(f"Reading the framing in {where}: give either crop or scenes.")
    unknown = sorted(set(value) - ({"crop"} if "crop" in value else {"scenes", "width", "height", "format"}))
    if unknown:
        raise BadSetting(f"Reading the framing in {where}: {unknown[0]!r} is unknown.")
    if "crop" in value:
        return Override(crop=_box(value["crop"], f"{where}, crop"))
    try:
        scenes = _scenes.validate_json(json.dumps(_spelled_out(value["scenes"])))
        size = _size(value)
        whole = FramingPlan("vertical", *(size or (EVEN_PX, EVEN_PX)), scenes)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadSetting(f"Reading the framing in {where}: scenes.{place}: {first['msg']}.") from error
    except ValueError as error:
        raise BadSetting(f"Reading the framing in {where}: {error}.") from error
    return Override(scenes=whole.scenes, size=size)


def _spelled_out(value: Any) -> Any:
    """`value` with boxes that are written [x, y, w, h] as plans have them: {"x": ..., "y": ..., ...}."""
    if isinstance(value, list):
        return [_spelled_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    short = {name: box for name in ("box", "target") if isinstance(box := value.get(name), list) and len(box) == 4}
    boxes = {name: dict(zip("xywh", box, strict=True)) for name, box in short.items()}
    return {name: boxes.get(name, _spelled_out(item)) for name, item in value.items()}


def _size(value: dict[str, Any]) -> tuple[int, int] | None:
    if "width" not in value and "height" not in value:
        return None
    width, height = value.get("width"), value.get("height")
    if not (type(width) is int and type(height) is int and 0 < width <= MOST_PX and 0 < height <= MOST_PX):
        raise ValueError(f"width and height must both be whole numbers from 2 to {MOST_PX}, got {width!r} x {height!r}")
    return width, height


def _box(value: Any, where: str) -> Box:
    numbers = isinstance(value, list) and len(value) == 4 and all(type(item) in (int, float) for item in value)
    try:
        if numbers:
            return Box(*map(float, value))
    except (ValueError, OverflowError):
        pass
    raise BadSetting(
        f"Reading the framing in {where}: it must be [x, y, width, height] in pixels, width and height above 0,"
        f" got {json.dumps(value)[:100]}."
    )


def _shown(box: Box) -> str:
    return f"[{box.x:g}, {box.y:g}, {box.w:g}, {box.h:g}]"
