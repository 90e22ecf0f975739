"""An S3 server for tests that need conditions to hold."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.s3 import s3_bucket


class Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


@contextmanager
def one_at_a_time(name: str) -> Iterator[str]:
    """A bucket's URI. moto decides a condition and writes in two steps, S3 does in one: so one request at a time."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    # moto keeps its buckets for as long as the process: each server gets one of its own.
    with s3_bucket(f"http://127.0.0.1:{server.server_port}", f"{name}-{server.server_port}") as uri:
        yield uri
    server.shutdown()
    thread.join()
    server.server_close()
