"""What was found out about a recording, as far as the making of its clips draws on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.boxes import Box
from core.caption_report import Replaced
from core.picture import shown_size
from core.records import MediaInfo, Silence, Transcript
from core.sights import LayoutSpan, Slide


@dataclass(frozen=True, slots=True)
class Seen:
    """What is said, shown and heard in a recording; None or empty where nothing is."""

    info: MediaInfo
    transcript: Transcript | None
    layouts: tuple[LayoutSpan, ...]
    slides: tuple[Slide, ...]
    silences: tuple[Silence, ...]
    level_dbfs: NDArray[np.floating] | None
    hop_s: float
    corrections: tuple[Replaced, ...] = ()
    """What the glossary changed in the transcript."""

    @property
    def size(self) -> tuple[int, int]:
        """Of the upright picture with square pixels."""
        return shown_size(self.info.video)

    def text_boxes(self, time_s: float) -> Sequence[Box]:
        """The lines on the slide at a time of the recording, without footers and the like, which captions may cover."""
        shown = [slide for slide in self.slides if slide.start_s <= time_s < slide.end_s]
        return [line.box for slide in shown for line in slide.lines if line.text in slide.text]
