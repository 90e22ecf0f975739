"""A real S3 server (moto over HTTP) that can be told to misbehave."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.s3 import own_bucket

READ_WITHIN_S = 0.3
"""What has come and was not read before the connection broke is lost to the client, and a busy machine reads late."""


@dataclass
class Server:
    """A bucket, what was asked of its server, and what goes wrong next."""

    uri: str = ""
    served: list[str] = field(default_factory=list)
    """Method and path of every request."""
    ranges: list[str] = field(default_factory=list)
    """The ranges asked for by GET."""
    faults: deque[str] = field(default_factory=deque)
    """One for each coming request on an object: "busy" answers 503 SlowDown, "deny" 403, "cut" breaks off in the
    middle of the body, "hang" is silent for a second, "" does nothing."""
    only: str = ""
    """Faults are for requests of this method."""

    def misbehave(self, only: str, *faults: str) -> None:
        self.only = only
        self.faults.extend(faults)

    def door(self, app: Any) -> Any:
        def answer(environ: dict[str, Any], start: Any) -> Any:
            method = environ["REQUEST_METHOD"]
            self.served.append(f"{method} {environ['PATH_INFO']}")
            if method == "GET" and "HTTP_RANGE" in environ:
                self.ranges.append(environ["HTTP_RANGE"])
            fault = self.faults.popleft() if self.faults and method == self.only else ""
            if fault == "hang":
                threading.Event().wait(1)
            if fault in ("busy", "deny"):
                status, code = ("503 Slow Down", "SlowDown") if fault == "busy" else ("403 Forbidden", "AccessDenied")
                body = f"<Error><Code>{code}</Code><Message>Key=AKIASECRET</Message></Error>".encode()
                start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
                return [body]
            return _cut(app(environ, start)) if fault == "cut" else app(environ, start)

        return answer


def _cut(body: Any) -> Iterator[bytes]:
    whole = b"".join(body)
    yield whole[: len(whole) // 2]
    threading.Event().wait(READ_WITHIN_S)
    raise ConnectionResetError("cut")


@contextmanager
def misbehaving_s3() -> Iterator[Server]:
    told = Server()
    with own_bucket("inbox", told.door, one_at_a_time=False) as told.uri:
        yield told
