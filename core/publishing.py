"""Bring a recording's clips, captions, reel and report into their output folder; the manifest comes last.

Files are replaced one by one, each in one step, and the manifest after all of them: a reader who finds a manifest
finds every file that it names. Files of an earlier run that are named no more are removed afterwards; anything else
in the folder is left alone.
"""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from core.errors import StoreError
from core.files import copy_atomically, write_atomically
from core.manifest import MANIFEST_NAME, Manifest

SLUG_LENGTH = 48


def slug(title: str) -> str:
    """Lower-case words of a title joined by hyphens, safe as part of a file name everywhere."""
    words = re.sub(r"[^\w]+", "-", title.lower()).strip("-_")
    return words[:SLUG_LENGTH].rstrip("-_") or "clip"


def clip_stem(position: int, title: str) -> str:
    """File name without its ending of the clip at `position` (1 is the first in the recording)."""
    return f"{position:02}-{slug(title)}"


def read_manifest(folder: Path) -> Manifest | None:
    """What was published here before; None where there is nothing, or nothing this version can read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def named_files(manifest: Manifest) -> set[str]:
    """Relative paths of every file that a manifest names."""
    own = manifest.files
    of_clips = [file for clip in manifest.clips for file in clip.files.all]
    whole = (own.report, own.reel, own.srt, own.vtt, own.text, own.overview, own.layout, own.slides, own.chapters)
    return {file for file in (*whole, *own.slide_images, *of_clips) if file}


def publish(folder: Path, manifest: Manifest, *, copies: dict[str, Path], texts: dict[str, str]) -> Path:
    """Publish into `folder` and return the manifest's path.

    Args:
        copies: Relative path -> file to copy. One of the same size whose rendering is unchanged is left in place.
        texts: Relative path -> content.

    Raises StoreError if the folder cannot be written; what was published before then stays readable.
    """
    missing = named_files(manifest) - copies.keys() - texts.keys()
    if missing:
        raise ValueError(f"the manifest names files that are not published: {sorted(missing)}")
    before = read_manifest(folder)
    unchanged = _unchanged(before, manifest) if before else set()
    try:
        for name, source in copies.items():
            target = folder / name
            if not (name in unchanged and target.is_file() and target.stat().st_size == source.stat().st_size):
                copy_atomically(source, target)
        for name, content in texts.items():
            write_atomically(folder / name, content)
        write_atomically(folder / MANIFEST_NAME, manifest.model_dump_json(indent=1))
        _remove(folder, named_files(before) - named_files(manifest) if before else ())
    except OSError as error:
        raise StoreError(
            f"Publishing into {folder} failed: {error.strerror or error}; free some space or choose another --out."
        ) from error
    return folder / MANIFEST_NAME


def _unchanged(before: Manifest, after: Manifest) -> set[str]:
    """Files whose stored rendering is the same as that of the file now in place."""
    keys = {file: clip.render_key for clip in before.clips for file in clip.files.rendered}
    same = {file for clip in after.clips for file in clip.files.rendered if keys.get(file) == clip.render_key}
    reel_same = [c.render_key for c in before.clips] == [c.render_key for c in after.clips]
    titles_same = [c.title for c in before.clips] == [c.title for c in after.clips]
    return same | ({after.files.reel} if after.files.reel and reel_same and titles_same else set())


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()):  # a manifest is a file anybody can write
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty: somebody keeps something there
                for parent in path.relative_to(folder).parents[:-1]:
                    (folder / parent).rmdir()
