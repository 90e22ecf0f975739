"""The registry's tests run on a folder and on a bucket of a real S3 server spoken to over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.registries import Bucket
from tests.s3 import own_bucket


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    bucket = Bucket("")
    with own_bucket("registry", bucket.door) as bucket.uri:
        yield bucket


@pytest.fixture
def bucket(s3: Bucket, tmp_path: Path) -> Iterator[Bucket]:
    """An empty place in the bucket, on a server that behaves until it is told otherwise."""
    before, s3.uri = s3.uri, f"{s3.uri}/{tmp_path.name}"
    yield s3
    s3.uri, s3.fault = before, None


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "models") if request.param == "folder" else request.getfixturevalue("bucket").uri
