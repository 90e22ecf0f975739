"""The one door to S3: requests that are tried again while the trouble may pass, and errors fit to be shown.

Endpoint, region and credentials come from the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …) or from wherever
botocore finds them; none of them ever stands in a URI or a message.
"""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import aiohttp
from botocore import exceptions
from botocore.parsers import ResponseParserError
from fsspec.asyn import sync
from s3fs import S3FileSystem

from core.backoff import Backoff, retry
from core.errors import RefusedInput, StoreError

Answer = TypeVar("Answer")
PATIENCE = Backoff()
PAGE = 1_000
"""Objects that S3 lists in one answer; it gives no more."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 60.0
MOST_CONNECTIONS = 32
ENVIRONMENT = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
)
"""What decides which server is spoken to, and as whom."""
PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
PASSING_CODES = frozenset(
    {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "RequestTimeoutException", "Throttling"}
    | {"ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "OperationAborted"}
)
PASSING_ERRORS = (
    ConnectionError,
    TimeoutError,
    aiohttp.ClientError,
    exceptions.HTTPClientError,
    exceptions.ConnectionError,
    exceptions.IncompleteReadError,
    exceptions.ResponseStreamingError,
    ResponseParserError,
)
ADVICE = {
    403: "these credentials may not do that: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket's policy",
    404: "it is not there: check the name of the bucket and the path",
}
_made: dict[tuple[object, ...], S3FileSystem] = {}
_making = threading.Lock()


def is_s3(uri: str) -> bool:
    return uri.startswith(("s3://", "s3a://"))


def folder(uri: str) -> tuple[str, str]:
    """Bucket and prefix; the prefix ends with "/" unless it is empty."""
    name, prefix = split(uri)
    return name, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def split(uri: str) -> tuple[str, str]:
    """Bucket and key. The key is everything behind the bucket as it stands: "%", "?" and "#" mean themselves.

    Raises RefusedInput for a URI without a bucket, and for one with credentials in it.
    """
    bucket, _, key = uri.partition("://")[2].partition("/")
    if "@" in bucket:
        raise RefusedInput("An S3 URI must not hold credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if not bucket:
        raise RefusedInput("An S3 URI needs a bucket, as in s3://bucket/prefix.")
    return bucket, key


def file_system() -> S3FileSystem:
    """The one that all threads of this process share while the environment stays the same: fsspec would make one for
    each, with connections of its own. Its own retries, which know no jitter, are off."""
    key = (os.getpid(), CONNECT_TIMEOUT_S, READ_TIMEOUT_S, *(os.environ.get(name) for name in ENVIRONMENT))
    with _making:
        if key not in _made:
            once = {
                "retries": {"total_max_attempts": 1, "mode": "standard"},
                "connect_timeout": CONNECT_TIMEOUT_S,
                "read_timeout": READ_TIMEOUT_S,
                "max_pool_connections": MOST_CONNECTIONS,
            }
            fs = S3FileSystem(config_kwargs=once, use_listings_cache=False, skip_instance_cache=True)
            fs.retries = 1
            _made.clear()  # what the environment led to before
            _made[key] = fs
        return _made[key]


def ask(method: str, /, *, what: str, backoff: Backoff = PATIENCE, **parameters: Any) -> dict[str, Any]:
    """One S3 operation by botocore's name for it, such as "list_objects_v2", with its parameters.

    Raises StoreError, whose text begins with `what`, when S3 refuses or stays away.
    """
    return patiently(lambda: ask_once(method, **parameters), what=what, backoff=backoff)


def ask_once(method: str, /, **parameters: Any) -> dict[str, Any]:
    """As `ask`, without a second attempt; raises what happened, for `status` and `passing` to judge."""
    answer: Any = file_system().call_s3(method, **parameters)  # s3fs's stub promises None
    return answer


def patiently(call: Callable[[], Answer], *, what: str, backoff: Backoff = PATIENCE) -> Answer:
    """What `call` returns, tried again while the trouble may pass. Raises StoreError that begins with `what`."""
    try:
        return retry(call, passing, backoff=backoff)
    except StoreError:
        raise
    except Exception as error:
        raise failure(what, error) from None  # the cause may hold a signed request


def pages(name: str, prefix: str) -> Iterator[list[dict[str, Any]]]:
    """The objects under a prefix, a page of at most 1,000 for each request. Raises StoreError as `ask`."""
    more: dict[str, Any] = {}
    while True:
        what = f"Listing s3://{name}/{prefix}"
        page = ask("list_objects_v2", what=what, Bucket=name, Prefix=prefix, MaxKeys=PAGE, **more)
        yield page.get("Contents", [])
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def tag(about: dict[str, Any]) -> str:
    """What changes with an object's content: its ETag; where a server gives none, when it was written."""
    return about.get("ETag", "").strip('"') or f"{about['LastModified'].timestamp():.3f}"


def read_block(answer: dict[str, Any], size: int) -> bytes:
    """The next `size` bytes of an answer's body, fewer before a failure or its end, none at its end.

    Raises what the connection raised.
    """

    async def reading() -> bytes:
        block = bytearray()
        while len(block) < size:
            try:
                more = await answer["Body"].read(size - len(block))
            except Exception:
                if block:  # what has come is good; the next read raises again
                    break
                raise
            if not more:
                break
            block += more
        return bytes(block)

    block: Any = sync(file_system().loop, reading)
    return block


def close(answer: dict[str, Any]) -> None:
    """Let go of an answer whose body was not read to its end."""

    async def closing() -> None:
        answer["Body"].close()

    sync(file_system().loop, closing)


def status(error: BaseException) -> int | None:
    """The HTTP status that S3 answered with; None where it did not answer."""
    response = _response(error)
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") if response else None


def passing(error: Exception) -> bool:
    """Whether the same request may well succeed later: S3 is busy or broken, or the connection failed."""
    response = _response(error)
    if response is not None:
        return status(error) in PASSING_STATUS or _code(response) in PASSING_CODES
    return isinstance(error, PASSING_ERRORS) and not isinstance(error, exceptions.SSLError)


def failure(what: str, error: Exception) -> StoreError:
    """The error to show. It holds S3's code and what to do, not the request, which may be signed."""
    response = _response(error)
    if response is not None:
        number = status(error)
        advice = ADVICE.get(number or 0, "try again later" if passing(error) else "see the server's own log")
        return StoreError(f"{what} failed: S3 answered {number} {_code(response)}; {advice}.")
    if isinstance(error, PermissionError):
        return StoreError(f"{what} failed: S3 refused; {ADVICE[403]}.")
    if isinstance(error, FileNotFoundError):
        return StoreError(f"{what} failed: {ADVICE[404]}.")
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return StoreError(f"{what} failed: there are no credentials; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.")
    advice = "check AWS_ENDPOINT_URL and the network" if passing(error) else "check the settings of S3"
    return StoreError(f"{what} failed: {type(error).__name__}; {advice}.")


def _response(error: BaseException | None) -> dict[str, Any] | None:
    while error is not None:
        found = getattr(error, "response", None)
        if isinstance(found, dict):
            return found
        error = error.__cause__
    return None


def _code(response: dict[str, Any]) -> str:
    return str(response.get("Error", {}).get("Code", "an error"))
