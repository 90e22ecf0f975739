"""Frames at full size of a few moments, to find the edges of panels and borders to the pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core import frames, panels
from core.boxes import Box
from core.frames import Decoder, Raster
from core.layout_looks import Image, Look, to_gray
from core.records import MediaInfo

FRAMES = 5
"""So many frames tell where the edges of a panel are."""
MOST_PIXELS = 40e6
"""So many are kept at once; where there are many panels, or the picture is large, each panel gets fewer frames."""
AGO_S = 0.4
"""Where a panel is seen at one moment only, a second frame is taken so much earlier."""
REACH_PX = 3
"""How far from where an edge was seen in the small frame to look for it, in pixels of that."""


@dataclass(frozen=True, slots=True)
class Sharp:
    """A recording, its displayed size in pixels, and the raster of the small frames in which boxes were found."""

    path: Path
    info: MediaInfo
    size: tuple[int, int]
    small: Raster
    scratch: Path
    decoder: Decoder

    def images(self, groups: Sequence[Sequence[Look]]) -> list[list[Image]]:
        """For each group of looks a few frames of the displayed size, at least one, of the longest of them."""
        each = max(1, min(FRAMES, int(MOST_PIXELS / (self.size[0] * self.size[1] * max(len(groups), 1)))))
        wanted = [_times_s(looks, each) for looks in groups]
        all_s = sorted({time_s for times_s in wanted for time_s in times_s})
        read = frames.frames_in(
            self.path,
            self.info,
            [(time_s, time_s) for time_s in all_s],
            Raster(*self.size),
            step_s=0.0,
            scratch=self.scratch,
            decoder=self.decoder,
        )
        shown: dict[float, Image] = {}
        for frame in read:
            # The frame shown at a time is the last that began by then, or the first of all.
            shown |= {t: frame.image for t in all_s if t not in shown or frame.time_s <= t + frames.NEAR_S}
        return [[shown[time_s] for time_s in times_s] for times_s in wanted]

    def refined(self, images: Sequence[Image], coarse: Box) -> Box:
        """`coarse`, in pixels of the small frames, brought to the displayed picture and to the steps in it."""
        factor_x, factor_y = self.size[0] / self.small.width_px, self.size[1] / self.small.height_px
        reach_px = round(REACH_PX * max(factor_x, factor_y))
        return panels.refine([to_gray(image) for image in images], coarse.scaled(factor_x, factor_y), reach_px)


def _times_s(looks: Sequence[Look], most: int) -> list[float]:
    longest = sorted(looks, key=lambda seen: -seen.length_s)[:most]
    times_s = [seen.time_s for seen in longest]
    return times_s if len(times_s) > 1 else [max(times_s[0] - AGO_S, longest[0].start_s), *times_s]
