"""What lies in an inbox, a local folder or `s3://bucket/prefix`: found by listing, without opening a file.

Passed over are hidden files and folders, what an earlier run published (a folder below the inbox that holds a
`manifest.json`), and files that are no plain ones. Caption files are told apart: they belong to a recording. A file
that is still being written is left for a later listing.
"""

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_from_bytes

from core import bucket
from core.errors import RefusedInput
from core.files import SUBTITLE_SUFFIXES, to_path, to_uri
from core.manifest import MANIFEST_NAME
from core.patterns import matcher

SETTLE_S = 60.0
UNFINISHED_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".filepart", ".!qb", ".aria2")
"""What browsers, scp clients and download tools call a file until it is whole."""


@dataclass(frozen=True, slots=True)
class InboxObject:
    """A file or an object of an inbox, as the listing tells of it."""

    uri: str
    """file:// with the path in ASCII, or s3://bucket/key with the key as it stands."""
    bytes: int
    modified_s: float
    """Seconds since 1970, by the clock of the machine or server that keeps it."""
    tag: str
    """Changes when the content does: the ETag, or a local file's times of modification and change in nanoseconds."""

    @property
    def name(self) -> str:
        """The file's name."""
        return to_path(self.uri).name if self.uri.startswith("file://") else self.uri.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Listing:
    """An inbox at one moment, in the order of the URIs."""

    objects: tuple[InboxObject, ...]
    """What can be taken: whole, and meant by the patterns."""
    unsettled: tuple[InboxObject, ...]
    """Meant by the patterns, and perhaps still being written."""
    captions: tuple[InboxObject, ...]
    """Caption files, whatever the patterns say; see `captions_beside`."""
    unreadable: tuple[str, ...]
    """Folders and files that the listing could not look into, with the reason."""
    requests: int
    """Requests that a server answered; 0 for a local folder."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one listing has that an earlier one had not, by URI; `changed` as it is now."""

    new: tuple[InboxObject, ...]
    changed: tuple[InboxObject, ...]
    gone: tuple[InboxObject, ...]


def list_inbox(
    uri: str,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    settle_s: float = SETTLE_S,
    now_s: float | None = None,
) -> Listing:
    """Everything in an inbox. One pass over a folder, or one request for each 1,000 objects under a prefix.

    Args:
        include, exclude: Patterns of `core.patterns`; exclude wins.
        settle_s: A local file written or changed this recently may still be growing. S3 shows whole objects only.
        now_s: The time to hold local files against; now by default.

    Raises RefusedInput for a folder that does not exist, BadSetting for a pattern that is none, StoreError where the
    server refuses or stays away.
    """
    sieve = _Sieve(matcher(include, exclude), settle_s, time.time() if now_s is None else now_s)
    if bucket.is_s3(uri):
        return sieve.listing(*_sift_prefix(uri, sieve))
    if "://" in uri and not uri.startswith("file://"):
        raise RefusedInput(f"An inbox is a folder or s3://bucket/prefix, not {uri.partition('://')[0]}://.")
    return sieve.listing(*_sift_folder(to_path(uri).expanduser(), sieve))


def changes(before: Listing, now: Listing) -> Changes:
    """What happened between two listings of one inbox, of what could be taken. For watching by polling."""
    had, has = {o.uri: o for o in before.objects}, {o.uri: o for o in now.objects}
    waiting = {o.uri for o in now.unsettled}
    return Changes(
        new=tuple(o for uri, o in has.items() if uri not in had),
        changed=tuple(o for uri, o in has.items() if uri in had and (o.bytes, o.tag) != (had[uri].bytes, had[uri].tag)),
        gone=tuple(o for uri, o in had.items() if uri not in has and uri not in waiting),
    )


def captions_beside(listing: Listing) -> dict[str, InboxObject]:
    """URI of a recording -> the caption file of the same folder and stem, .vtt before .srt; only where there is one."""
    by_stem: dict[str, InboxObject] = {}
    for caption in sorted(listing.captions, key=lambda o: o.uri.lower().endswith(".vtt")):
        by_stem[caption.uri.rpartition(".")[0]] = caption
    stems = ((o.uri, _stem(o.uri)) for o in listing.objects)
    return {uri: by_stem[stem] for uri, stem in stems if stem in by_stem}


def _stem(uri: str) -> str:
    folder, _, name = uri.rpartition("/")
    return f"{folder}/{name.rpartition('.')[0] or name}"


@dataclass(slots=True)
class _Sieve:
    """Takes what a listing comes upon, one after the other, and keeps what is meant."""

    taken: Callable[[str], bool]
    settle_s: float
    now_s: float
    objects: list[InboxObject] = field(default_factory=list)
    unfinished: list[InboxObject] = field(default_factory=list)
    captions: list[InboxObject] = field(default_factory=list)
    published: set[str] = field(default_factory=set)
    """Folders with a manifest, as URIs that end with "/"."""

    def take(self, key: str, entry: InboxObject, times_s: Sequence[float] = ()) -> None:
        """`key` is the path below the inbox; `times_s` say when the file was last touched."""
        lower = key.lower()
        if lower.endswith(SUBTITLE_SUFFIXES):
            self.captions.append(entry)
        elif lower.endswith(UNFINISHED_SUFFIXES):
            if self.taken(key) or self.taken(key.rpartition(".")[0]):
                self.unfinished.append(entry)
        elif self.taken(key):
            # A time far in the future is a wrong clock's and would keep the file waiting until then.
            fresh = any(abs(self.now_s - touched_s) < self.settle_s for touched_s in times_s)
            (self.unfinished if fresh else self.objects).append(entry)

    def listing(self, base: str, unreadable: list[str], requests: int) -> Listing:
        """What was kept, in order. `base` is the inbox's own URI with "/" at its end."""

        def ours(uri: str) -> bool:
            return any(uri[:end] in self.published for end in _slashes(uri, len(base)))

        growing = {o.uri.rpartition(".")[0] for o in self.unfinished if o.uri.lower().endswith(UNFINISHED_SUFFIXES)}
        foreign = sorted((o for o in self.objects if not (self.published and ours(o.uri))), key=lambda o: o.uri)
        waiting = [*self.unfinished, *(o for o in foreign if o.uri in growing)]
        return Listing(
            objects=tuple(o for o in foreign if o.uri not in growing),
            unsettled=tuple(sorted((o for o in waiting if not ours(o.uri)), key=lambda o: o.uri)),
            captions=tuple(sorted((o for o in self.captions if not ours(o.uri)), key=lambda o: o.uri)),
            unreadable=tuple(sorted(unreadable)),
            requests=requests,
        )


def _slashes(uri: str, start: int) -> Iterator[int]:
    """Lengths of the folders of `uri` that lie below the first `start` characters."""
    while (start := uri.find("/", start) + 1) > 0:
        yield start


def _sift_prefix(uri: str, sieve: _Sieve) -> tuple[str, list[str], int]:
    name, prefix = bucket.folder(uri)
    requests = 0
    for page in bucket.pages(name, prefix):
        requests += 1
        for item in page:
            key = item["Key"][len(prefix) :]
            if key.endswith("/") or not key or key.startswith(".") or "/." in key:
                continue
            whole = f"s3://{name}/{item['Key']}"
            if key.endswith(f"/{MANIFEST_NAME}"):
                sieve.published.add(whole[: -len(MANIFEST_NAME)])
            modified_s = item["LastModified"].timestamp()
            sieve.take(key, InboxObject(whole, item["Size"], modified_s, bucket.tag(item)))
    return f"s3://{name}/{prefix}", [], requests


def _sift_folder(root: Path, sieve: _Sieve) -> tuple[str, list[str], int]:
    if not root.is_dir():
        raise RefusedInput(f"The inbox {_shown(str(root))} is not a folder that exists; check the path.")
    base = to_uri(root).rstrip("/") + "/"
    unreadable: list[str] = []
    for key, found in _walk(root, unreadable):
        uri = base + quote_from_bytes(os.fsencode(key))
        if key.endswith(f"/{MANIFEST_NAME}"):
            sieve.published.add(uri[: -len(MANIFEST_NAME)])
        entry = InboxObject(uri, found.st_size, found.st_mtime, f"{found.st_mtime_ns:x}-{found.st_ctime_ns:x}")
        sieve.take(key, entry, (found.st_mtime, found.st_ctime))
    return base, unreadable, 0


def _walk(root: Path, unreadable: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Plain files with their paths below `root`. Links are followed, after all else: a folder is entered only once,
    by its own path where it has one below `root`, so that its files keep their names from listing to listing."""
    entered: set[tuple[int, int]] = set()
    folders = deque([""])
    while folders:
        below = folders.pop()
        try:
            here = (root / below).stat()
            if (here.st_dev, here.st_ino) in entered:
                continue
            entered.add((here.st_dev, here.st_ino))
            with os.scandir(root / below) as entries:
                inside = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            unreadable.append(f"{_shown(str(root / below))}: {error.strerror}")
            continue
        for entry in inside:
            try:
                found = entry.stat()
            except OSError as error:
                if entry.is_symlink():  # else it vanished meanwhile
                    unreadable.append(f"{_shown(entry.path)}: {error.strerror}")
                continue
            if stat.S_ISDIR(found.st_mode):
                (folders.appendleft if entry.is_symlink() else folders.append)(f"{below}{entry.name}/")
            elif stat.S_ISREG(found.st_mode):
                yield below + entry.name, found


def _shown(path: str) -> str:
    """A path for people: bytes that are no UTF-8 and control characters become a replacement mark."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
