"""Tell another system what happened: a POST of JSON, signed with HMAC-SHA256, tried again while that makes sense.

The signature covers the time and the body: `v1=` and the hex of HMAC-SHA256(secret, "<timestamp>." + body). A
receiver checks it with `verify` and keeps the ids it has seen for as long as the window, since a notification may
arrive twice. Only the configured address is spoken to: no redirect is followed, no proxy is asked.
"""

import email.utils
import http.client
import ipaddress
import json
import os
import random
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from core.backoff import Backoff, delays_s
from core.errors import BadSetting, NotDelivered
from core.masking import Mask
from core.signatures import ID, SIGNATURE, TIMESTAMP, signature

URL, SECRET = "WINNOW_WEBHOOK_URL", "WINNOW_WEBHOOK_SECRET"
SHORTEST_SECRET = 16
PASSING = frozenset({408, 425, 429})
"""Client errors that may be gone the next time; so may every 5xx."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often delivery is tried."""

    total_s: float = 60.0
    """For all attempts and the waits between them."""
    attempt_s: float = 10.0
    backoff: Backoff = Backoff(attempts=8, base_s=0.5, cap_s=15.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification that was taken."""

    id: str
    status: int
    attempts: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one attempt ended: an HTTP status, or why there was none."""

    status: int | None
    words: str
    wait_s: float | None = None
    """What the receiver asked for (Retry-After)."""
    again: bool = False


class Webhook:
    """One receiver. Its whole URL counts as secret in messages: many carry a token in their path.

    Raises BadSetting for a URL that is not https (http is taken for this machine itself), holds a user or password,
    or is malformed, and for a secret shorter than 16 characters.
    """

    def __init__(self, url: str, secret: SecretStr, *, patience: Patience | None = None) -> None:
        self._url = _checked(url)
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise BadSetting(
                f"{SECRET} must have {SHORTEST_SECRET} characters or more; make one with: openssl rand -hex 32"
            )
        self._secret = secret
        self._patience = patience or Patience()

    @property
    def where(self) -> str:
        """The receiver as messages may name it."""
        return f"{self._url.scheme}://{self._url.netloc}/…"

    def __repr__(self) -> str:
        return f"Webhook({self.where})"

    def notify(self, event: str, data: Mapping[str, Any], *, id: str | None = None) -> Delivery:
        """Deliver an event with its data and return once it is taken (any 2xx).

        Args:
            event: Such as "nightly.ended".
            data: JSON values. Secrets in them are masked (see core.masking).
            id: Names the notification in every attempt; give the same one to repeat it later. By default a new one.

        Raises NotDelivered. A 4xx other than 408, 425 and 429, a redirect and a certificate that does not hold end it
        at once; anything else is tried again until the attempts or the time are used up.
        """
        id = id or str(uuid.uuid4())
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,200}", id):
            raise ValueError(f"a notification's id has letters, digits and ._:- only, got {id!r:.80}")
        body = json.dumps(
            {"id": id, "event": event, "data": Mask((self._secret,)).value(data)},
            ensure_ascii=True,
            allow_nan=False,
            separators=(",", ":"),
        ).encode()
        end_s = time.monotonic() + self._patience.total_s
        waits = delays_s(self._patience.backoff, random.Random())
        for attempt in count(1):
            answer = self._attempt(id, body, min(self._patience.attempt_s, end_s - time.monotonic()))
            if answer.status is not None and 200 <= answer.status < 300:
                return Delivery(id, answer.status, attempt)
            wait_s = next(waits, None)
            if wait_s is not None and answer.wait_s is not None:
                wait_s = max(wait_s, answer.wait_s)
            if not answer.again or wait_s is None or wait_s >= end_s - time.monotonic():
                raise NotDelivered(
                    f"Notifying {self.where} of {event} failed after {attempt} "
                    f"{'attempt' if attempt == 1 else 'attempts'}: {answer.words}. The notification's id is {id}."
                )
            time.sleep(wait_s)
        raise AssertionError("counting does not end")

    def _attempt(self, id: str, body: bytes, limit_s: float) -> _Answer:
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "winnow",
            "Connection": "close",
            ID: id,
            TIMESTAMP: stamp,
            SIGNATURE: signature(self._secret, stamp, body),
        }
        limit_s = max(0.001, limit_s)
        connection = self._connection(limit_s)
        late = threading.Event()
        watch = threading.Timer(limit_s, _cut, (connection, late))  # a receiver that drips bytes outlasts a timeout
        watch.daemon = True
        watch.start()
        try:
            target = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.connect()
            if late.is_set():
                raise TimeoutError
            connection.request("POST", target, body=body, headers=headers)
            return _judged(connection.getresponse())
        except ssl.SSLCertVerificationError as error:
            return _Answer(None, f"its certificate does not hold ({error.verify_message})")
        except TimeoutError:
            return _Answer(None, f"no answer within {limit_s:.3g} s", again=True)
        except (OSError, http.client.HTTPException) as error:
            words = f"no answer within {limit_s:.3g} s" if late.is_set() else f"no connection ({type(error).__name__})"
            return _Answer(None, words, again=True)
        finally:
            watch.cancel()
            connection.close()

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(
                host, self._url.port, timeout=timeout_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, self._url.port, timeout=timeout_s)


def from_environment(*, patience: Patience | None = None) -> Webhook | None:
    """The receiver that WINNOW_WEBHOOK_URL names, signed for with WINNOW_WEBHOOK_SECRET; None where none is named.

    Raises BadSetting if the one or the other cannot be used.
    """
    url = os.environ.get(URL, "").strip()
    return Webhook(url, SecretStr(os.environ.get(SECRET, "")), patience=patience) if url else None


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # it ended at the same moment
            return


def _judged(response: http.client.HTTPResponse) -> _Answer:
    """What a status means. The body is not read: nothing in it is for us."""
    status = response.status
    if 300 <= status < 400:
        return _Answer(status, f"it answered with a redirect ({status}), which is not followed; set the final address")
    again = status >= 500 or status in PASSING
    wait_s = _retry_after_s(response.getheader("Retry-After")) if again else None
    return _Answer(status, f"it answered with status {status}", wait_s, again)


def _retry_after_s(value: str | None) -> float | None:
    """Seconds to wait, from a number or an HTTP date; None where there is neither."""
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadSetting(f"{URL} is no address: its host or port cannot be read.") from error
    if not host or parts.scheme not in ("http", "https") or not re.fullmatch(r"[!-~]+", url):
        raise BadSetting(f"{URL} must be an address such as https://example.org/hooks/winnow, in plain ASCII.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadSetting(f"{URL} must hold no user, password or fragment; the signature says who is calling.")
    if parts.scheme == "http" and not _this_machine(host):
        raise BadSetting(f"{URL} must begin with https://; plain http is taken for localhost only.")
    return parts


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
