"""Where chaos happens: an inbox that new recordings come into, and a store, in folders or in a bucket of a server that
can go away for a while."""

import hashlib
import itertools
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import fsspec

from core import media

ROOT = Path(__file__).parents[1]
STARTS_S = (4.0, 20.0, 37.7)
LENGTH_S = 12
SAID = "WEBVTT\n\n00:00.300 --> 00:04.400\nHalf of the tides are left out.\n\n00:06.300 --> 00:11.400\nGravity fades.\n"
Ended = Literal["done", "rejected"]


def films(folder: Path) -> list[Path]:
    """A few tiny recordings with sound, cut from the sample."""
    made = []
    for start_s in STARTS_S:
        path = folder / f"film {start_s:g}.mp4"
        cut = ["-ss", str(start_s), "-i", media.file_url(ROOT / "data/samples/tides.mp4"), "-t", str(LENGTH_S)]
        small = ["-vf", "scale=320:180,fps=12.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
        media.run_ffmpeg([*cut, *small, media.file_url(path)], what="Cutting", timeout_s=120)
        made.append(path)
    return made


@dataclass
class Inbox:
    """Recordings come in; how each of them must end is known by its content."""

    folder: Path
    films: list[Path]
    draw: random.Random
    put: Callable[[Path, str], None]
    wanted: dict[str, Ended] = field(default_factory=dict)
    """SHA-256 -> how it must end."""
    names: int = 0

    def arrive(self, count: int, *, only_new: bool = False) -> None:
        """New films with captions beside them; some of them twice, under two names, and now and then no film."""
        for _ in range(count):
            film = self.folder / "arriving.mp4"
            about = ["-metadata", f"comment=film {next(self._numbers)}"]
            source = media.file_url(self.draw.choice(self.films))
            media.run_ffmpeg(
                ["-i", source, "-c", "copy", *about, media.file_url(film)], what="Naming a film", timeout_s=60
            )
            self._take(film, "done")
            if not only_new and self.draw.random() < 0.3:
                self._take(film, "done")
        if not only_new and self.draw.random() < 0.4:
            text = self.folder / "arriving.mp4"
            text.write_text(f"Bring projector {next(self._numbers)}.")
            self._take(text, "rejected")

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def _take(self, path: Path, end: Ended) -> None:
        self.names += 1
        stem = f"{self.draw.choice(('monday', 'tuesday'))}/talk {self.names}"
        self.wanted[hashlib.sha256(path.read_bytes()).hexdigest()] = end
        captions = self.folder / "arriving.vtt"
        captions.write_text(SAID)
        self.put(captions, f"{stem}.vtt")
        self.put(path, f"{stem}.mp4")


@dataclass
class Place:
    """Inbox and store, and the environment that leads to them."""

    inbox: str
    store: str
    put: Callable[[Path, str], None]
    changes: Callable[[], int]
    """A number that grows with every file that comes into the store."""
    env: dict[str, str] = field(default_factory=dict)
    away: "Door | None" = None
    """For a bucket: its server's door, which can be closed."""


@contextmanager
def in_folders(folder: Path) -> Iterator[Place]:
    """Inbox and store on this disk."""
    inbox, store, seen = folder / "inbox", folder / "store", set[str]()
    for each in (inbox, store):
        each.mkdir()

    def put(path: Path, name: str) -> None:
        target = inbox / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    def changes() -> int:
        seen.update(str(path) for path in store.rglob("*"))
        return len(seen)

    yield Place(str(inbox), str(store), put, changes)


class Door:
    """Before an S3 server: lets requests in, answers that it is busy, or breaks off in the middle of answers."""

    def __init__(self, app: Any) -> None:
        self.app, self.writes = app, 0
        self.asked = Counter[str]()
        self.fault: Literal["", "busy", "cut"] = ""

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        self.asked[_kind(environ)] += 1
        self.writes += environ["REQUEST_METHOD"] in ("PUT", "POST")
        if self.fault == "busy":
            body = b"<Error><Code>SlowDown</Code><Message>busy</Message></Error>"
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        answer = self.app(environ, start)  # what was asked for happens
        return _broken(answer) if self.fault == "cut" else answer


def _kind(environ: dict[str, Any]) -> str:
    """What kind of request it is: listings cost what writes cost."""
    listing = environ["REQUEST_METHOD"] == "GET" and "list-type=" in environ.get("QUERY_STRING", "")
    return "LIST" if listing else environ["REQUEST_METHOD"]


def _broken(answer: Any) -> Iterator[bytes]:
    whole = b"".join(answer)
    yield whole[: len(whole) // 2]
    raise ConnectionResetError("the server went away")


@contextmanager
def in_bucket(name: str) -> Iterator[Place]:
    """Inbox and store in a bucket of a server of our own (moto, over HTTP)."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None: ...

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    door = Door(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    env = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    }
    fs = fsspec.filesystem(
        "s3", key="test", secret="test", endpoint_url=env["AWS_ENDPOINT_URL"], use_listings_cache=False
    )
    fs.mkdir(name)
    uri = f"s3://{name}"
    yield Place(
        f"{uri}/inbox",
        f"{uri}/store",
        lambda path, to: fs.put_file(str(path), f"{name}/inbox/{to}"),
        lambda: door.writes,
        env,
        door,
    )
    server.shutdown()
    thread.join()
