"""Which recordings are taken. Every refusal is one sentence that says what is wrong and what to do."""

from collections.abc import Callable
from pathlib import Path

from core.errors import RefusedInput
from core.files import display_name, to_uri
from core.identity import sha256_of
from core.records import MediaInfo, MediaRef
from core.settings import AdmissionSettings


def identify(
    path: Path, settings: AdmissionSettings, *, on_progress: Callable[[float], None] | None = None
) -> MediaRef:
    """Hash a file. Raises RefusedInput where it is missing, no plain file, unreadable, empty or too large."""
    name = display_name(path)
    if not path.exists():
        raise RefusedInput(f"{name} does not exist; check the path.")
    if not path.is_file():
        raise RefusedInput(f"{name} is not a plain file; give a recording or a folder of recordings.")
    size = path.stat().st_size
    if size == 0:
        raise RefusedInput(f"{name} is empty (0 bytes); copy it again.")
    if size > settings.max_gb * 1e9:
        raise RefusedInput(
            f"{name} has {size / 1e9:.1f} GB and the limit is {settings.max_gb:g} GB; raise max_gb to take it."
        )
    try:
        sha256 = sha256_of(path, on_progress=(lambda done: on_progress(done / size)) if on_progress else None)
    except PermissionError as error:
        raise RefusedInput(f"{name} cannot be read: {error.strerror}; change its permissions.") from error
    return MediaRef(sha256=sha256, bytes=size, uri=to_uri(path), name=name)


def check_length(name: str, info: MediaInfo, settings: AdmissionSettings, min_s: float) -> None:
    """Raise RefusedInput for a recording shorter than one clip or longer than the settings allow."""
    if info.duration_s < min_s:
        part = (
            f"only {info.duration_s:.1f} s of it can be read"
            if info.truncated
            else f"it is {info.duration_s:.1f} s long"
        )
        raise RefusedInput(
            f"{name} is shorter than one clip: {part}, and the shortest clip is {min_s:g} s; lower min_s."
        )
    if info.duration_s > settings.max_hours * 3_600:
        raise RefusedInput(
            f"{name} is {info.duration_s / 3_600:.1f} h long, the limit is {settings.max_hours:g} h; raise max_hours."
        )
