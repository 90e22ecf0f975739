"""Which sizes a clip is made in, as data: the default ladder, a person's own from a file, what of it fits a clip."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from core.errors import BadSetting

NAME = r"[a-z0-9][a-z0-9-]{0,29}"
RESERVED_NAMES = frozenset({"subtitles"})
"""Names that a packaged clip needs for something else."""
MOST_RENDITIONS = 8
FILE_LIMIT_BYTES = 64 * 1024
MACROBLOCK_PX = 16
TALLEST_PX = 4_320
H264_LIMITS: dict[str, tuple[int, int, int]] = {
    "2.1": (19_800, 792, 4_000),
    "3.0": (40_500, 1_620, 10_000),
    "3.1": (108_000, 3_600, 14_000),
    "3.2": (216_000, 5_120, 20_000),
    "4.0": (245_760, 8_192, 20_000),
    "4.1": (245_760, 8_192, 50_000),
    "4.2": (522_240, 8_704, 50_000),
    "5.0": (589_824, 22_080, 135_000),
    "5.1": (983_040, 36_864, 240_000),
    "5.2": (2_073_600, 36_864, 240_000),
}
"""Macroblocks a second, macroblocks a picture and kbit/s that a level allows (Rec. ITU-T H.264, table A-1)."""

Profile = Literal["baseline", "main", "high"]
Level = Annotated[
    Literal["2.1", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2"],
    BeforeValidator(str),
]
Kbps = Annotated[int, Field(ge=50, le=200_000)]


class Rendition(BaseModel):
    """One rung of a ladder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, BeforeValidator(str), Field(pattern=f"^{NAME}$")]
    """Part of file names."""
    height_px: Annotated[int, Field(ge=90, le=TALLEST_PX, multiple_of=2)] | None = None
    """Of the shorter side, so that 480 is 854x480, 480x854 and 480x480; None for the clip's own size."""
    crf: Annotated[int, Field(ge=10, le=40)] | None = None
    """x264 constant rate factor; None for the one that the run is set to."""
    max_kbps: Kbps | None = None
    """Highest rate of the picture, in kbit/s, held over `buffer_kbit`; None for no limit but `crf`."""
    buffer_kbit: Kbps | None = None
    """Decoder buffer, in kbit; None for two seconds of `max_kbps`."""
    profile: Profile = "high"
    level: Level | None = None
    """H.264 level, used where the picture keeps within it; else the encoder finds the lowest that does."""
    audio_kbps: Annotated[int, Field(ge=32, le=320)] = 160

    @model_validator(mode="after")
    def buffer_needs_a_rate(self) -> "Rendition":
        if self.name in RESERVED_NAMES:
            raise ValueError(f"{self.name!r} cannot be a rendition's name: it is used for something else")
        if self.buffer_kbit is not None and self.max_kbps is None:
            raise ValueError("buffer_kbit needs max_kbps beside it")
        return self


Ladder = tuple[Rendition, ...]
_LADDER = TypeAdapter(Annotated[Ladder, Field(min_length=1, max_length=MOST_RENDITIONS)])

DEFAULT_LADDER: Ladder = (
    Rendition(name="hd"),
    Rendition(name="sd", height_px=480, crf=23, max_kbps=1_500, audio_kbps=128),
    Rendition(name="mobile", height_px=360, crf=24, max_kbps=600, profile="baseline", level="3.0", audio_kbps=96),
)
"""hd is the clip as it always was, sd for common screens and networks, mobile for any telephone and a poor network."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A rendition that will be made."""

    rendition: Rendition
    width: int
    height: int
    scaled: bool
    """It is smaller than the clip."""

    @property
    def name(self) -> str:
        return self.rendition.name

    def level(self, frame_rate: Fraction) -> str | None:
        """The level asked for, if a picture of this size, rate and bitrate keeps within it."""
        if self.rendition.level is None:
            return None
        most_a_second, most_a_picture, most_kbps = H264_LIMITS[self.rendition.level]
        across, down = (-(-side // MACROBLOCK_PX) for side in (self.width, self.height))
        fits = (
            across * down <= most_a_picture
            and across * down * frame_rate <= most_a_second
            and max(across, down) ** 2 <= 8 * most_a_picture
            and (self.rendition.max_kbps or 0) <= most_kbps
        )
        return self.rendition.level if fits else None


def plan_renditions(size: tuple[int, int], ladder: Ladder) -> tuple[Planned, ...]:
    """What of `ladder` is made of a clip of `size`, the largest first; nothing is ever scaled up.

    The tallest rung is always made, at the clip's own size where it is taller than the clip. Of the others those are
    made that are smaller than it. Sides are even, and in the clip's aspect to within a pixel of that.
    """
    if not ladder or min(size) < 2:
        raise ValueError(f"Renditions need a ladder and a picture, got {len(ladder)} rungs and {size}")
    ordered = sorted(ladder, key=lambda rung: -(rung.height_px or TALLEST_PX + 1))
    made = [_planned(ordered[0], size)]
    for rung in ordered[1:]:
        if rung.height_px is not None and rung.height_px < min(made[-1].width, made[-1].height):
            made.append(_planned(rung, size))
    return tuple(made)


def choose_renditions(ladder: Ladder, names: Sequence[str]) -> Ladder:
    """The rungs of `ladder` called `names`. Raises BadSetting for a name that is not among them, or none at all."""
    known = [rung.name for rung in ladder]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        asked = f"there is no {unknown[0]!r}" if unknown else "none was named"
        raise BadSetting(f"Choosing renditions: {asked}; the ladder has {', '.join(known)}.")
    return tuple(rung for rung in ladder if rung.name in names)


def read_ladder(path: Path) -> Ladder:
    """The ladder in a YAML or JSON file: a list of renditions, or one under the key `renditions`.

    Raises BadSetting that names the file, the rendition and the field, for whatever is wrong with it.
    """
    what = f"Reading the ladder {path.name}"
    try:
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT_BYTES + 1)
        if len(text) > FILE_LIMIT_BYTES:
            raise BadSetting(f"{what}: it is larger than {FILE_LIMIT_BYTES // 1024} KiB; a ladder has a few lines.")
        found = yaml.safe_load(text.decode("utf-8-sig"))
    except OSError as error:
        raise BadSetting(f"{what}: it cannot be opened ({error.strerror}); give the path of a YAML file.") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise BadSetting(f"{what}: it is not YAML or JSON in UTF-8: {said}") from error
    if isinstance(found, dict) and set(found) == {"renditions"}:
        found = found["renditions"]
    if not isinstance(found, list):
        raise BadSetting(f"{what}: it must be a list of renditions, each with a name; see the default ladder.")
    try:
        ladder = _LADDER.validate_python(found)
    except ValidationError as error:
        raise BadSetting(f"{what}: {_problems(error, found)}") from error
    _check_distinct(ladder, what)
    return ladder


def _check_distinct(ladder: Ladder, what: str) -> None:
    for sort, values in (
        ("name", [rung.name for rung in ladder]),
        ("height_px (none is the clip's own size)", [str(rung.height_px or "none") for rung in ladder]),
    ):
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise BadSetting(f"{what}: two renditions have the same {sort}: {twice[0]}.")


def _problems(error: ValidationError, found: list[Any]) -> str:
    """What pydantic found wrong, a sentence each, saying which rendition it is about."""
    sentences: list[str] = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        place = problem["loc"][0] if problem["loc"] else None
        if not isinstance(place, int):
            sentences.append(f"{message}.")
            continue
        rung = found[place]
        name = str(rung.get("name", "")) if isinstance(rung, dict) else ""
        called = f" ({name})" if re.fullmatch(NAME, name) else ""
        field = f", {problem['loc'][1]}" if len(problem["loc"]) > 1 else ""
        got = problem["input"]
        shown = f", got {str(got)[:40]!r}" if field and isinstance(got, str | int | float) else ""
        sentences.append(f"rendition {place + 1}{called}{field}: {message}{shown}.")
    return " ".join(sentences)


def _planned(rung: Rendition, size: tuple[int, int]) -> Planned:
    """`rung` for a clip of `size`: the shorter side brought down to its height, both sides even."""
    factor = Fraction(min(rung.height_px or min(size), *size), min(size))
    if factor == 1:
        width, height = (max(2, side // 2 * 2) for side in size)
    else:
        width, height = (max(2, 2 * round(side * factor / 2)) for side in size)
    return Planned(rung, width, height, scaled=(width, height) != size)
