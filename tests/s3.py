"""A bucket on an S3 server of the tests' own, spoken to over HTTP, and an environment that leads to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import s3fs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None: ...


@contextmanager
def own_bucket(name: str, door: Callable[[Any], Any] = lambda app: app, *, one_at_a_time: bool = True) -> Iterator[str]:
    """A bucket's URI.

    Args:
        name: How the bucket's name begins.
        door: Makes the application that is served out of moto's.
        one_at_a_time: Requests wait for each other: moto decides a condition and writes in two steps, S3 does in one.
    """
    app = door(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=not one_at_a_time, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    # moto keeps its buckets for as long as the process: each server gets one of its own.
    with s3_bucket(f"http://127.0.0.1:{server.server_port}", f"{name}-{server.server_port}") as uri:
        yield uri
    server.shutdown()
    thread.join()
    server.server_close()


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
