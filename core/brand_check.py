"""Are the files that a brand template names usable? Asked before anything is rendered; nothing in them is trusted.

Each function raises ValueError with a clause that goes on from the file's name: "does not exist; put it …".
"""

import warnings
from pathlib import Path, PurePosixPath, PureWindowsPath

from PIL import Image, UnidentifiedImageError

from core.errors import RefusedInput
from core.probe import probe
from core.records import MediaInfo

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP")
MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS = 40 * 1024**2, 40_000_000
LEAST_IMAGE_PX = 8
MAX_VIDEO_BYTES, MAX_VIDEO_S, LEAST_VIDEO_S = 2 * 1024**3, 120.0, 0.2


def asset_path(folder: Path, file: str) -> Path:
    """The file beside the template that `file` names: a plain relative path that does not leave `folder`."""
    if not file.strip() or not file.isprintable():
        raise ValueError("is not the name of a file")
    if "://" in file or file.lower().startswith(("data:", "file:", "http:", "https:")):
        raise ValueError("is an address; put the file itself beside the template and give its name")
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).anchor or file.startswith("~"):
        raise ValueError("is an absolute path; put the file beside the template and give its name")
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError("lies outside the template's folder; put the file beside the template")
    if not path.exists():
        raise ValueError("does not exist; put it beside the template or correct the name")
    if not path.is_file():
        raise ValueError("is not a file")
    if path.stat().st_size == 0:
        raise ValueError("is empty; copy it again")
    return path


def is_image(path: Path) -> bool:
    """Whether the content says so; a video, or anything else, is not."""
    try:
        with Image.open(path) as image:
            return bool(image.format)
    except Image.DecompressionBombError:
        return True
    except (OSError, ValueError, SyntaxError):
        return False


def check_image(path: Path) -> None:
    """Decode the picture, whole, and see that there is something in it."""
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise ValueError(f"is larger than {MAX_IMAGE_BYTES // 1024**2} MiB; save a smaller picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=IMAGE_FORMATS) as image:
                width, height = image.size
                if width * height > MAX_IMAGE_PIXELS:
                    raise ValueError(f"has {width}x{height} pixels, which is too many; save a smaller picture")
                if min(width, height) < LEAST_IMAGE_PX:
                    raise ValueError(f"has only {width}x{height} pixels; save a larger picture")
                visible = image.convert("RGBA").getchannel("A").getbbox()
    except UnidentifiedImageError as error:
        raise ValueError("is not a picture in PNG, JPEG or WebP; save it as PNG") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"is damaged or cut off ({error}); save it again") from error
    if visible is None:
        raise ValueError("is fully transparent; save it with something in it")


def check_video(path: Path) -> MediaInfo:
    """What the probe finds on a video that has a picture and is of sane length."""
    if path.stat().st_size > MAX_VIDEO_BYTES:
        raise ValueError(f"is larger than {MAX_VIDEO_BYTES // 1024**3} GiB; export a smaller video")
    try:
        info = probe(path)
    except RefusedInput as error:
        raise ValueError(f"is neither a picture nor a video that can be read ({error})") from error
    if info.video is None:
        raise ValueError("has no moving picture; give a video or a still image")
    if info.truncated:
        raise ValueError("is cut off: its end cannot be read; copy it again")
    if not LEAST_VIDEO_S <= info.duration_s <= MAX_VIDEO_S:
        raise ValueError(f"lasts {info.duration_s:.2f} s, not {LEAST_VIDEO_S:g} to {MAX_VIDEO_S:g} s; trim it")
    return info
