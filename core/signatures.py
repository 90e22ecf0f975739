"""The signature of a notification, for its sender and its receivers. It needs nothing of the rest of Winnow."""

import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

SIGNATURE, TIMESTAMP, ID = "X-Winnow-Signature", "X-Winnow-Timestamp", "X-Winnow-Id"
WINDOW_S = 300.0


class NotGenuine(Exception):
    """A notification that must not be believed; the text says why."""


def signature(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """`v1=` and the hex of HMAC-SHA256 over "<timestamp>." and the body."""
    signed = timestamp.encode("ascii") + b"." + body
    return "v1=" + hmac.new(secret.get_secret_value().encode(), signed, "sha256").hexdigest()


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[SecretStr],
    *,
    window_s: float = WINDOW_S,
    now: float | None = None,
) -> str:
    """The id of a genuine notification, for a receiver to look up among those it has seen in the last `window_s`.

    Args:
        body: The bytes as they came, before anything parsed them.
        headers: Of the request; the case of their names does not matter.
        secrets: One, or while the secret is being changed the new and the old.
        window_s: How far the sender's clock may be from ours, either way.
        now: Seconds since 1970, else this machine's clock.

    Raises NotGenuine for a signature that does not fit, a time outside the window, a header that is missing, and an
    id that is not the one in the body, which alone is signed.
    """
    found = {name.lower(): value for name, value in headers.items()}
    try:
        stamp, given, id = (found[name.lower()] for name in (TIMESTAMP, SIGNATURE, ID))
    except KeyError as error:
        raise NotGenuine(f"the header {error.args[0]} is missing") from error
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise NotGenuine("the timestamp is no whole number of seconds")
    fits = [hmac.compare_digest(signature(s, stamp, body).encode(), given.encode()) for s in secrets]
    if not any(fits):
        raise NotGenuine("the signature does not fit")
    if abs((time.time() if now is None else now) - int(stamp)) > window_s:
        raise NotGenuine(f"it was signed more than {window_s:g} s ago or ahead")
    if _id_inside(body) != id:
        raise NotGenuine("the id is not the one that was signed")
    return id


def _id_inside(body: bytes) -> str | None:
    try:
        held = json.loads(body)
    except ValueError as error:
        raise NotGenuine("the body is no JSON") from error
    return held.get("id") if isinstance(held, dict) else None
