"""Places that a command or a form names, checked before anything is done there."""

from core.bucket import is_s3, split
from core.errors import BadSetting
from core.files import to_path, to_uri


def checked_store(uri: str | None) -> str | None:
    """A store that is there, a local one as an absolute path. Raises BadSetting for one that is none."""
    if uri is None or not uri.strip():
        return None
    if is_s3(uri):
        split(uri)
        return uri
    if "://" in uri and not uri.startswith("file://"):
        raise BadSetting(f"The store {uri} is of a kind that is not known: name a folder or s3://bucket/prefix.")
    folder = to_path(uri).expanduser()
    if not folder.is_dir():
        raise BadSetting(f"There is no folder {folder}: name a store that nightlies have written.")
    return str(folder.absolute())


def local(uri: str) -> str:
    """A folder as an absolute URI, whatever the working folder of who reads it; buckets as they are."""
    return uri if "://" in uri else to_uri(to_path(uri).expanduser())
