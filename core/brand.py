"""Brand templates: how somebody's clips look, in one YAML file with its assets beside it, checked before rendering."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from core.brand_check import asset_path, check_image, check_video, is_image
from core.brand_fonts import FONT_SUFFIXES, Font, read_font, shipped_fonts
from core.brand_look import End, Fonts, Logo, Look, contrasts, read_look
from core.errors import BadSetting
from core.identity import key_of, sha256_of
from core.records import MediaInfo

TEMPLATES = Path(__file__).with_name("assets") / "templates"
FOLDER_VARIABLE = "WINNOW_TEMPLATES"
TEMPLATE_VERSION = "1"
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Asset:
    """A checked picture or video; its content is its identity."""

    sha256: str
    path: str = field(metadata={"identity": False})
    info: MediaInfo | None = field(default=None, metadata={"identity": False})
    """What the probe found on a video; None for a picture."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose assets were all found and opened. Only `key` is its identity: what it says and all its bytes."""

    key: str
    name: str = field(metadata={"identity": False})
    look: Look = field(metadata={"identity": False})
    title_font: Font = field(metadata={"identity": False})
    body_font: Font = field(metadata={"identity": False})
    caption_font: Font = field(metadata={"identity": False})
    logo: Asset | None = field(default=None, metadata={"identity": False})
    intro: Asset | None = field(default=None, metadata={"identity": False})
    outro: Asset | None = field(default=None, metadata={"identity": False})


def load_template(name: str, *, folder: Path | None = None) -> Template:
    """The template called `name`, or in the YAML file at the path `name`, checked together with all its assets.

    Args:
        folder: Where a person's own templates lie; else what WINNOW_TEMPLATES names. The shipped ones come after it.

    Raises BadSetting that lists every problem, a sentence each: the key, the file, what is wrong and what to do.
    """
    path = _find(name, folder or (Path(own) if (own := os.environ.get(FOLDER_VARIABLE)) else None))
    look, problems = read_look(path)
    fonts, bad_fonts = _fonts(look.fonts, path.parent)
    assets, bad_assets = _assets(look, path.parent)
    problems += bad_fonts + bad_assets + contrasts(look)
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise BadSetting(f"The template {name!r} ({path}) cannot be used. Correct it and start again:{listed}")
    said = look.model_dump(mode="json", exclude={"fonts": True, **{part: {"file"} for part in assets}})
    return Template(
        key=key_of(TEMPLATE_VERSION, said, fonts, assets),
        name=path.stem,
        look=look,
        title_font=fonts["title"],
        body_font=fonts["body"],
        caption_font=fonts["caption"],
        **assets,
    )


def template_names(folder: Path | None = None) -> list[str]:
    """Names that `load_template` finds: those in `folder`, and the shipped ones."""
    folders = [place for place in (folder, TEMPLATES) if place and place.is_dir()]
    return sorted({path.stem for place in folders for path in place.iterdir() if path.suffix in SUFFIXES})


def _find(name: str, folder: Path | None) -> Path:
    if name.endswith(SUFFIXES) or "/" in name or os.sep in name:
        if Path(name).is_file():
            return Path(name).absolute()
        raise BadSetting(f"There is no template file {name}; correct the path, or give the name of a template.")
    if folder and not folder.is_dir():
        raise BadSetting(f"The folder of templates, {folder}, does not exist; create it or correct {FOLDER_VARIABLE}.")
    for place in (folder, TEMPLATES):
        for suffix in SUFFIXES:
            if place and name and (place / f"{name}{suffix}").is_file():
                return (place / f"{name}{suffix}").absolute()
    own = f"in {folder} and" if folder else f"({FOLDER_VARIABLE} is not set)"
    raise BadSetting(
        f"There is no template called {name!r} {own} among the shipped ones;"
        f" choose one of {', '.join(template_names(folder))}, or give the path of a YAML file."
    )


def _fonts(fonts: Fonts, folder: Path) -> tuple[dict[str, Font], list[str]]:
    found: dict[str, Font] = {}
    problems: list[str] = []
    for use, wanted in fonts.model_dump().items():
        try:
            if wanted.lower().endswith(FONT_SUFFIXES):
                found[use] = read_font(asset_path(folder, wanted))
            elif font := shipped_fonts().get(wanted.casefold()):
                found[use] = font
            else:
                names = ", ".join(font.name for font in shipped_fonts().values())
                raise ValueError(f"is not a shipped font; choose one of {names}, or a .ttf or .otf file")
        except ValueError as error:
            problems.append(f"fonts.{use}: {wanted!r} {error}.")
    return found, problems


def _assets(look: Look, folder: Path) -> tuple[dict[str, Asset], list[str]]:
    found: dict[str, Asset] = {}
    problems: list[str] = []
    for part in ("logo", "intro", "outro"):
        chosen: Logo | End | None = getattr(look, part)
        if chosen is None:
            continue
        try:
            found[part] = _asset(chosen, asset_path(folder, chosen.file))
        except (ValueError, OSError) as error:
            problems.append(f"{part}.file: {chosen.file!r} {error}.")
    return found, problems


def _asset(chosen: Logo | End, path: Path) -> Asset:
    if isinstance(chosen, Logo) or is_image(path):
        check_image(path)
        if isinstance(chosen, End) and chosen.seconds is None:
            raise ValueError("is a still image; say for how long it is shown, with the key seconds beside file")
        return Asset(sha256_of(path), str(path))
    info = check_video(path)
    if chosen.seconds is not None:
        raise ValueError("is a video, which is shown whole; remove the key seconds, or trim the video")
    return Asset(sha256_of(path), str(path), info)
