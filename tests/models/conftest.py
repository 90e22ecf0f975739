"""The registry's tests run on a folder and on a bucket of a real S3 server spoken to over HTTP."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.registries import Bucket
from tests.s3 import s3_bucket


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

    bucket = Bucket("")
    # One request at a time: moto decides a condition and writes in two steps, S3 does in one.
    app = bucket.door(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    # moto keeps its buckets for as long as the process: each server gets one of its own.
    with s3_bucket(f"http://127.0.0.1:{server.server_port}", f"registry-{server.server_port}") as bucket.uri:
        yield bucket
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(s3: Bucket, tmp_path: Path) -> Iterator[Bucket]:
    """An empty place in the bucket, on a server that behaves until it is told otherwise."""
    before, s3.uri = s3.uri, f"{s3.uri}/{tmp_path.name}"
    yield s3
    s3.uri, s3.fault = before, None


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "models") if request.param == "folder" else request.getfixturevalue("bucket").uri
