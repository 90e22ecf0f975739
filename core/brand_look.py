"""What a brand template's YAML file may say, and how it is read: every key has a default, no other key is taken."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from core.framing_plan import Format

MAX_YAML_BYTES = 64 * 1024
SHOWN_CHARS = 60
LEAST_CONTRAST = 4.5
"""Between letters and what they stand on: WCAG 2.2, success criterion 1.4.3."""

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]


def _written(value: Any) -> Any:
    if value is None:
        raise ValueError('is empty; a colour needs quotes, "#1f6feb", because # begins a comment')
    return value


Colour = Annotated[str, BeforeValidator(_written), StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Part(BaseModel):
    """One part of a template: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Logo(Part):
    """A picture in a corner, all the time."""

    file: str
    corner: Corner = "top-right"
    width: Annotated[float, Field(ge=0.02, le=0.4)] = 0.09
    """Share of the width of a widescreen picture with the same shorter side, so that it is as large in every format."""
    opacity: Annotated[float, Field(ge=0.05, le=1)] = 0.9
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.04
    """Distance from the edges as a share of the shorter side."""


class Colours(Part):
    """The four colours of the look."""

    primary: Colour = "#14202e"
    accent: Colour = "#4ea1ff"
    text: Colour = "#ffffff"
    ground: Colour = "#10161e"


class Fonts(Part):
    """Names of shipped fonts, or font files beside the template."""

    title: str = "Source Sans Pro Bold"
    body: str = "Source Sans Pro"
    caption: str = "Source Sans Pro Semibold"


class End(Part):
    """What comes before or after the clip: a video, or a still image for so many seconds."""

    file: str
    seconds: Annotated[float, Field(ge=0.2, le=30)] | None = None
    fit: Literal["pad", "crop"] = "pad"
    """Where its shape is not the clip's: show it whole on the ground colour, or fill the picture with its middle."""


class LowerThird(Part):
    """Who speaks and what about, for some seconds near the start."""

    style: Literal["panel", "plain"] = "panel"
    start_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    seconds: Annotated[float, Field(ge=1.5, le=60)] = 5.0
    speaker: Line = ""
    """Shown where the run does not know the speaker."""
    role: Line = ""
    """The second line; without it, the clip's title."""


class Caption(Part):
    """A caption style by name, with colours of one's own."""

    style: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] | None = None
    colour: Colour | None = None
    highlight: Colour | None = None
    box: Colour | None = None


class Look(Part):
    """All that a template's YAML file may say."""

    aspect: Annotated[tuple[Format, ...], BeforeValidator(lambda v: [v] if isinstance(v, str) else v)] = ()
    logo: Logo | None = None
    colours: Colours = Colours()
    fonts: Fonts = Fonts()
    intro: End | None = None
    outro: End | None = None
    lower_third: LowerThird | None = None
    caption: Caption = Caption()


class _Loader(yaml.SafeLoader):
    """Plain data only: no aliases, which can blow up a small file, and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not taken here", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} comes twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_look(path: Path) -> tuple[Look, list[str]]:
    """What the file says, and a sentence for each part of it that is wrong; such a part is left at its default."""
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            return Look(), [f"The file is larger than {MAX_YAML_BYTES // 1024} KiB, which no template needs."]
        said = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return Look(), [f"It is not valid YAML: {at}{error.problem or error}."]
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError, OSError) as error:
        return Look(), [f"It is not readable as YAML text: {' '.join(str(error).split())[:200]}."]
    if said is None:
        said = {}
    if not isinstance(said, dict):
        return Look(), ["It must be a list of keys with values, such as `colours:`, at the top level."]
    try:
        return Look.model_validate(said), []
    except ValidationError as error:
        problems = [_sentence(found) for found in error.errors(include_url=False)]
        bad = {found["loc"][0] for found in error.errors(include_url=False)}
    return Look.model_validate({key: value for key, value in said.items() if key not in bad}), problems


def _sentence(found: Any) -> str:
    place = ".".join(str(part) for part in found["loc"])
    got = repr(found["input"])
    got = got if len(got) <= SHOWN_CHARS else got[: SHOWN_CHARS - 1] + "\u2026"
    if found["type"] == "extra_forbidden":
        return f"{place}: there is no such key; remove it or correct its name (known here: {_known(found['loc'])})."
    if found["type"] == "missing":
        return f"{place} is missing; add it."
    if found["type"] == "string_pattern_mismatch" and "0-9a-fA-F" in str(found.get("ctx")):
        return f'{place}: {got} is not a colour; write it as six digits in quotes, such as "#1f6feb".'
    reason = found["msg"].removeprefix("Value error, ")
    return f"{place} {reason}." if reason.startswith("is ") else f"{place}: {got} cannot be used: {reason}."


def _known(loc: tuple[Any, ...]) -> str:
    parts: dict[str, type[Part]] = {
        "logo": Logo,
        "colours": Colours,
        "fonts": Fonts,
        "intro": End,
        "outro": End,
        "lower_third": LowerThird,
        "caption": Caption,
    }
    return ", ".join((parts.get(str(loc[0]), Look) if len(loc) > 1 else Look).model_fields)


def contrasts(look: Look) -> list[str]:
    """A sentence for each pair of colours that could not be read: on the lower third, and captions on their own box."""
    pairs: list[tuple[str, str, str, str]] = []
    if look.lower_third and look.lower_third.style == "panel":
        pairs.append(("colours.text", look.colours.text, "colours.primary", look.colours.primary))
    caption = look.caption
    pairs += [
        (f"caption.{key}", letters, "caption.box", caption.box)
        for key, letters in (("colour", caption.colour), ("highlight", caption.highlight))
        if letters and caption.box
    ]
    return [
        f"{one}: {letters} on {other} {ground} has a contrast of {ratio:.1f}:1, which is hard to read;"
        f" choose colours with at least {LEAST_CONTRAST}:1."
        for one, letters, other, ground in pairs
        if (ratio := contrast(letters, ground)) < LEAST_CONTRAST
    ]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1..21, by the relative luminance of WCAG 2.2."""

    def luminance(colour: str) -> float:
        levels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
