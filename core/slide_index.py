"""The slides of a recording in words: which slide shows when, its title, its text, its picture.

For each span between two changes one frame, cut to where the layout says that the slide is, is written as a JPEG and
read. A picture that was read before is not read again. What covers the slide (the speaker's inset) is painted over
before it is read, so that no lettering behind the speaker becomes the slide's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core import frames, media, slide_text
from core.boxes import Box, shared
from core.errors import StoreError
from core.frames import Decoder
from core.picture import shown_size
from core.records import MediaInfo, SlideSpan
from core.sights import LayoutSpan, Slide, TextLine
from core.slide_look import Look, additions, look_of, same
from core.slide_text import Page

READ_WIDTH_PX, IMAGE_WIDTH_PX, WIDEST_FRAME_PX = 1280, 960, 2560
"""Slides are read at most, and written, this wide; frames are decoded at most this wide."""
QUALITY = 85
FOLDER = "slides"
SHOWING = frozenset({"slides", "pip", "side"})
"""Layouts with a slide that is read. A camera's picture, a blackboard or a film is not."""

Pixels = NDArray[np.uint8]


class Reader(Protocol):
    """What reads text: `models.slides.SlideReader` is one."""

    def read(self, image: Pixels) -> list[TextLine]:
        """Lines in uint8 RGB [height, width, 3], in reading order, with boxes in its pixels."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A slide that was read."""

    page: Page
    look: Look
    image: str


@dataclass(slots=True)
class _Album:
    """The pictures written so far."""

    folder: Path
    reader: Reader
    shown: list[_Shown] = field(default_factory=list)

    def add(self, picture: Pixels, layout: LayoutSpan, scale: float) -> _Shown:
        """The slide on `picture`, a frame `scale` times the displayed size: read, if it was not seen before."""
        assert layout.slide_box is not None
        slide = layout.slide_box
        cut = _cut(picture, slide.scaled(scale, scale))
        hidden = shared(slide, layout.face_box) if layout.face_box else None
        if hidden:
            to_cut = cut.shape[1] / slide.w, cut.shape[0] / slide.h
            hidden = hidden.moved(-slide.x, -slide.y).scaled(*to_cut)
        look = look_of(cut, hidden)
        for known in reversed(self.shown):
            if (
                known.page.slide == slide
                and np.array_equal(known.look.visible, look.visible)
                and same(known.look, look)
            ):
                return known
        name = f"{FOLDER}/{len(self.shown) + 1:04d}.jpg"
        _write(cut, self.folder / name)
        self.shown.append(_Shown(Page(slide, self._lines(cut, hidden, slide)), look, name))
        return self.shown[-1]

    def _lines(self, cut: Pixels, hidden: Box | None, slide: Box) -> tuple[TextLine, ...]:
        """The lines on a slide's picture, placed in the recording's."""
        image = _resized(cut, READ_WIDTH_PX)
        if hidden:
            image = image.copy()
            _part(image, hidden.scaled(image.shape[1] / cut.shape[1], image.shape[0] / cut.shape[0]))[...] = np.median(
                image, axis=(0, 1)
            )
        to_x, to_y = slide.w / image.shape[1], slide.h / image.shape[0]
        return tuple(
            replace(line, box=line.box.scaled(to_x, to_y).moved(slide.x, slide.y)) for line in self.reader.read(image)
        )


def read_slides(
    path: Path,
    info: MediaInfo,
    spans: Sequence[SlideSpan],
    settled_s: Sequence[float],
    layouts: Sequence[LayoutSpan],
    *,
    reader: Reader,
    folder: Path,
    scratch: Path,
    decoder: Decoder = "decord",
    on_progress: media.Progress | None = None,
) -> list[Slide]:
    """One Slide for each of `spans`; the pictures are written to `slides/0001.jpg` … in the existing `folder`.

    Where no slide shows, or no frame could be had, there is no title, no text and no image. Spans with the same picture
    name the same image. `text` and `title` leave out what stands on most slides; `lines` holds everything.

    Args:
        settled_s: For each span the time of the frame that is read, as `FrameReport.settled_s` has them.
        layouts: What shows at those times; a time that none covers shows no slide.

    Raises MediaError if no frame can be decoded, Cancelled if the run was told to stop.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    at = [layout_at(layouts, time_s) for time_s in settled_s]
    wanted = {time_s for time_s, layout in zip(settled_s, at, strict=True) if layout and _shows(layout)}
    album, found = _Album(folder, reader), dict[float, _Shown]()
    width_px = shown_size(info.video)[0]
    frame_px = min(width_px, WIDEST_FRAME_PX, max((_width_px(at_, width_px) for at_ in at if at_), default=width_px))
    looked = frames.frames_at(path, info, sorted(wanted), scratch=scratch, width_px=frame_px, decoder=decoder)
    for time_s, image in _spooled(looked, scratch) if wanted else ():
        media.check_cancelled()
        layout = layout_at(layouts, time_s)
        assert layout is not None
        found[time_s] = album.add(image, layout, image.shape[1] / width_px)
        if on_progress:
            on_progress(time_s)
    pages = slide_text.corrected([shown.page for shown in album.shown])
    words = dict(zip([s.image for s in album.shown], zip(pages, slide_text.furniture(pages), strict=True), strict=True))
    return list(_slides(spans, [found.get(time_s) for time_s in settled_s], words))


def _spooled(looked: Iterable[tuple[float, frames.Frame]], scratch: Path) -> Iterator[tuple[float, Pixels]]:
    """The same pictures, all decoded before the first is given: a decoder that is kept waiting piles up frames."""
    import cv2

    kept: list[tuple[float, Path]] = []
    for number, (time_s, frame) in enumerate(looked):
        kept.append((time_s, scratch / f"slide-{number}.png"))
        cv2.imwrite(str(kept[-1][1]), frame.image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    for time_s, path in kept:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        path.unlink()
        if image is None:
            raise StoreError(f"Reading back a slide's picture from {path.parent} failed; is the disk full?")
        yield time_s, np.asarray(image, np.uint8)


def _slides(
    spans: Sequence[SlideSpan],
    shown: Sequence[_Shown | None],
    words: dict[str, tuple[Page, frozenset[TextLine]]],
) -> Iterator[Slide]:
    before: _Shown | None = None
    for span, now in zip(spans, shown, strict=True):
        if now is None:
            yield Slide(span.start_s, span.end_s, None, "", False, None, ())
            continue
        page, common = words[now.image]
        title = slide_text.title_of(page, common)
        text = "\n".join(line.text for line in page.lines if line not in common)
        build = (
            before is not None and before is not now and _builds(words[before.image][0], page, before.look, now.look)
        )
        yield Slide(span.start_s, span.end_s, title, text, build, now.image, page.lines)
        before = now


def _builds(before: Page, after: Page, look: Look, look_after: Look) -> bool:
    """Whether a slide only adds to the one before: all its lines and something more, nothing drawn taken away.

    Lines that an inset hides on one of the two do not count.
    """
    share, added = additions(look, look_after)
    if not before.lines:
        return added and share >= 0.9
    # Text decides; the picture has to agree by and large, for a figure may have been exchanged.
    return share >= 0.6 and (slide_text.adds_lines(before, after) or (share >= 0.95 and added))


def layout_at(layouts: Sequence[LayoutSpan], time_s: float) -> LayoutSpan | None:
    return next((layout for layout in layouts if layout.start_s <= time_s < layout.end_s), None)


def _shows(layout: LayoutSpan) -> bool:
    return layout.slide_box is not None and layout.layout in SHOWING


def _width_px(layout: LayoutSpan, displayed_px: int) -> int:
    """How wide a frame has to be for the slide on it to be READ_WIDTH_PX wide."""
    slide = layout.slide_box
    return round(READ_WIDTH_PX * displayed_px / slide.w) if slide and _shows(layout) else 0


def _part(picture: Pixels, box: Box) -> Pixels:
    """The part of `picture` inside `box`, at least a pixel wide and high: a view, not a copy."""
    height, width = picture.shape[:2]
    x, y = min(max(0, round(box.x)), width - 1), min(max(0, round(box.y)), height - 1)
    return picture[y : max(y + 1, round(box.bottom)), x : max(x + 1, round(box.right))]


def _cut(picture: Pixels, box: Box) -> Pixels:
    return np.ascontiguousarray(_part(picture, box))


def _resized(picture: Pixels, most_px: int) -> Pixels:
    from PIL import Image

    height, width = picture.shape[:2]
    if width <= most_px:
        return picture
    size = (most_px, max(1, round(height * most_px / width)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _write(picture: Pixels, path: Path) -> None:
    from PIL import Image

    Image.fromarray(_resized(picture, IMAGE_WIDTH_PX)).save(path, quality=QUALITY)


def joined(slides: Sequence[Slide]) -> list[Slide]:
    """`slides` with neighbours of the same picture as one, as those that show none: the speaker makes no slide."""
    found: list[Slide] = []
    for slide in slides:
        if found and found[-1].image == slide.image:
            found[-1] = replace(found[-1], end_s=slide.end_s)
        else:
            found.append(slide)
    return found


def to_json(slides: Sequence[Slide]) -> list[dict[str, Any]]:
    """What `slides.json` holds: `joined` slides, images relative to it, null where no slide shows."""
    return [
        {name: getattr(slide, name) for name in ("start_s", "end_s", "title", "text", "image", "build")}
        for slide in joined(slides)
    ]


def text_at(slides: Sequence[Slide], start_s: float, end_s: float) -> str:
    """The text of all slides that show during [start_s, end_s), each line once, in order of time."""
    seen = [line for s in slides if s.start_s < end_s and s.end_s > start_s for line in s.text.splitlines()]
    return "\n".join(dict.fromkeys(seen))
