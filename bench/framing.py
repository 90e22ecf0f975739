"""How well an upright or square clip keeps its speaker: the face inside, the camera calm.

    python bench/framing.py RECORDING [--layout LAYOUT.json] [--from S] [--seconds S] [--format vertical] [--json]

Faces are looked for in every frame; a fifth of a second apart they are what the plan is made from, all of them are what
it is judged by. Counted are frames with a face in the camera's part of the picture: is it fully inside a panel that
follows it, as far as the recording shows it? `--layout` is a run's layout.json, or the truth of a made talk (its
`layouts`); without it, all is camera. The speaker is the largest face there, followed from frame to frame: choosing
among several is not measured here.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.boxes import Box, shared
from core.camera_path import box_at
from core.frames import frames_in, upright_raster
from core.framing import plan_framing
from core.framing_plan import FramingPlan, Panel
from core.picture import clip_size
from core.probe import probe
from core.sights import Face, LayoutSpan, Sighting
from models.faces import load_faces

LOOK_WIDTH_PX = 640
EVERY_S = 0.2
FOLLOWED = 1.5
"""A face is the same as the one before if it lies at most so many widths away;"""
LOST_S = 1.0
"""after it was missed for so long, it may be anywhere."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out, for one clip in one format."""

    format: str
    frames: int
    """In which the speaker's face was found, in the camera's part of the picture."""
    inside: float
    """The share of them that show the whole face in a panel that follows it."""
    travel_px_s: float
    """Movement of the views, in pixels of the recording a second."""
    reversals_s: float
    """How often a view turned back on its way, a second."""
    still: float
    """The share of time in which no view moved."""
    scenes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--layout", type=Path)
    parser.add_argument("--from", dest="start_s", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--format", choices=("vertical", "square"), action="append")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    info = probe(args.recording)
    end_s = min(args.start_s + args.seconds, info.duration_s)
    size = clip_size(info.video, 10**6)
    layouts = read_layouts(args.layout) if args.layout else [LayoutSpan(0, end_s, "camera", None, Box(0, 0, *size))]
    seen = speaker_faces(args.recording, layouts, args.start_s, end_s)
    for format in args.format or ("vertical", "square"):
        plan = plan_framing(
            format, size=size, start_s=args.start_s, end_s=end_s, layouts=layouts, sightings=thinned(seen),
            text_boxes=lambda _: (), max_height=1080,
        )  # fmt: skip
        found = measure(plan, seen, args.start_s, float(info.video.fps) if info.video else 25.0)
        print(json.dumps(asdict(found)) if args.json else found)


def read_layouts(path: Path) -> list[LayoutSpan]:
    """Of a run's layout.json, or of the truth of a made talk."""
    value: Any = json.loads(path.read_text())
    if isinstance(value, dict):
        named = {"start": "start_s", "end": "end_s", "slide": "slide_box", "face": "face_box"}
        value = [{named.get(key, key): item for key, item in entry.items()} for entry in value["layouts"]]
    boxes = [{key: entry[key] and Box(*entry[key]) for key in ("slide_box", "face_box")} for entry in value]
    return [LayoutSpan(e["start_s"], e["end_s"], e["layout"], **b) for e, b in zip(value, boxes, strict=True)]


def speaker_faces(path: Path, layouts: list[LayoutSpan], start_s: float, end_s: float) -> list[Sighting]:
    """The speaker's face in every frame of [start_s, end_s) that shows one in the camera's part of the picture."""
    info = probe(path)
    assert info.video
    width, _ = clip_size(info.video, 10**6)
    raster = upright_raster(info.video, min(width, LOOK_WIDTH_PX))
    detector = load_faces(1)
    factor = width / raster.width_px
    found: list[Sighting] = []
    with tempfile.TemporaryDirectory() as scratch:
        for frame in frames_in(path, info, [(start_s, end_s)], raster, step_s=0.0, scratch=Path(scratch)):
            span = next((s for s in layouts if s.start_s <= frame.time_s < s.end_s), None)
            if span is None or span.face_box is None or not start_s <= frame.time_s < end_s:
                continue
            faces = [_enlarged(face, factor) for face in detector.find(frame.image)]
            faces = [replace(f, box=seen) for f in faces if (seen := shared(f.box, span.face_box))]
            inside = [s for s in (_sighting(frame.time_s, f) for f in faces) if _holds(span.face_box, s.box)]
            if inside and (chosen := _next(found, inside, span.start_s)):
                found.append(chosen)
    return found


def thinned(seen: list[Sighting]) -> list[Sighting]:
    """A sighting every EVERY_S, as a scan of a recording has them."""
    kept: list[Sighting] = []
    for sighting in seen:
        if not kept or sighting.time_s >= kept[-1].time_s + EVERY_S - 0.005:
            kept.append(sighting)
    return kept


def measure(plan: FramingPlan, seen: list[Sighting], start_s: float, fps: float) -> Measured:
    shown = []
    for sighting in seen:
        at_s = sighting.time_s - start_s
        scene = next((s for s in plan.scenes if s.start_s <= at_s + 1e-6 < s.end_s), plan.scenes[-1])
        shown.append(box_at(scene.panels[-1].path, at_s).contains(sighting.box, slack_px=0.5))
    steps = [_steps(panel, scene.start_s, scene.end_s, fps) for scene in plan.scenes for panel in scene.panels[-1:]]
    length_s = plan.scenes[-1].end_s
    moving = [step[np.abs(step) > 0.01] for step in steps]
    turns = sum(int((np.diff(np.sign(step)) != 0).sum()) for step in moving)
    return Measured(
        format=plan.format,
        frames=len(shown),
        inside=round(float(np.mean(shown)), 4) if shown else float("nan"),
        travel_px_s=round(float(sum(np.abs(step).sum() for step in steps)) / length_s, 2),
        reversals_s=round(turns / length_s, 3),
        still=round(1 - sum(len(step) for step in moving) / max(1, sum(len(step) for step in steps)), 3),
        scenes=len(plan.scenes),
    )


def _steps(panel: Panel, start_s: float, end_s: float, fps: float) -> np.ndarray:
    """How far the view moves across from frame to frame."""
    times_s = np.arange(start_s, end_s, 1 / fps)
    return np.diff(np.interp(times_s, [s.time_s for s in panel.path], [s.box.x for s in panel.path]))


def _next(found: list[Sighting], faces: list[Sighting], since_s: float) -> Sighting | None:
    """The face that goes on with the one before, or the largest where a shot or a search begins anew."""
    last = found[-1] if found and found[-1].time_s >= since_s else None
    if last is None or faces[0].time_s - last.time_s > LOST_S:
        return max(faces, key=lambda face: face.box.area)
    away = {id(f): np.hypot(*np.subtract(f.box.centre, last.box.centre)) / last.box.w for f in faces}
    nearest = min(faces, key=lambda face: away[id(face)])
    return nearest if away[id(nearest)] <= FOLLOWED else None


def _sighting(time_s: float, face: Face) -> Sighting:
    (left_x, left_y), (right_x, right_y) = face.landmarks[3:]
    half = max(1.0, abs(right_x - left_x))
    return Sighting(time_s, face.box, Box(min(left_x, right_x), (left_y + right_y - half) / 2, half, half))


def _enlarged(face: Face, factor: float) -> Face:
    return Face(face.box.scaled(factor, factor), face.score, tuple((x * factor, y * factor) for x, y in face.landmarks))


def _holds(part: Box, face: Box) -> bool:
    return part.contains(Box(*face.centre, 1, 1), slack_px=1)


if __name__ == "__main__":
    main()
