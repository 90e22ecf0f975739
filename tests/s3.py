"""A bucket on an S3 server, and an environment that leads to it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import s3fs


@contextmanager
def s3_bucket(endpoint_url: str, name: str) -> Iterator[str]:
    """Its URI. Whatever looks for S3 meanwhile finds the server at `endpoint_url`, with credentials.

    fsspec keeps file systems by their arguments: one that was made without credentials, or for another server, would
    be handed out again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", endpoint_url)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir(name)
        yield f"s3://{name}"
        s3fs.S3FileSystem.clear_instance_cache()
