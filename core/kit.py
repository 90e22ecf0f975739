"""What the settings name, loaded and checked before anything begins: template, glossary, ladder, styles, framings."""

from dataclasses import dataclass, replace
from pathlib import Path

from core.brand import Template, load_template
from core.brand_look import Caption
from core.caption_fonts import FontMetrics, default_font, read_font
from core.caption_styles import CaptionStyle, caption_style
from core.encoders import Encoder, choose_encoder
from core.framing_override import ClipOverride, load_overrides
from core.framing_plan import Format
from core.glossary import Glossary, load_glossary
from core.ladder import DEFAULT_LADDER, Ladder, choose_renditions, read_ladder
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Kit:
    """All that clips are made with besides their recording."""

    formats: tuple[Format, ...]
    ladder: Ladder
    encoder: Encoder
    style: CaptionStyle
    metrics: FontMetrics
    template: Template | None = None
    glossary: Glossary | None = None
    overrides: tuple[ClipOverride, ...] = ()


def load_kit(settings: Settings) -> Kit:
    """The kit that `settings` name. Raises BadSetting for whatever is missing or cannot be used."""
    look, writing, rendering = settings.look, settings.writing, settings.rendering
    template = load_template(look.template) if look.template else None
    own = template.look.caption.style or "plain" if template else "plain"
    style = caption_style(look.caption_style or own)
    metrics = default_font(bold=style.bold)
    if template:
        metrics = read_font(Path(template.caption_font.path), template.caption_font.name)
        # Colours were chosen for one style: letters that can be read in it may not be in another.
        chosen = template.look.caption if style.name == own else Caption()
        style = coloured(replace(style, font=template.caption_font.name, bold=False), chosen)
    ladder = read_ladder(Path(rendering.ladder)) if rendering.ladder else DEFAULT_LADDER
    return Kit(
        formats=look.formats or (template.look.aspect if template else ()) or ("source",),
        ladder=choose_renditions(ladder, rendering.renditions) if rendering.renditions else ladder,
        encoder=choose_encoder(rendering.encoder),
        style=style,
        metrics=metrics,
        template=template,
        glossary=load_glossary(Path(writing.glossary)) if writing.glossary else None,
        overrides=load_overrides(Path(look.framing)) if look.framing else (),
    )


def coloured(style: CaptionStyle, chosen: Caption) -> CaptionStyle:
    """`style` with a template's colours. Raises BadSetting where they cannot be read on one another."""
    if chosen.colour:
        style = replace(style, letters=chosen.colour)
    if chosen.highlight:
        style = (
            replace(style, lit_ground=chosen.highlight) if style.way == "box" else replace(style, lit=chosen.highlight)
        )
    return replace(style, ground_colour=chosen.box) if chosen.box else style
