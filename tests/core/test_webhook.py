"""Notifications against a real server on this machine."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.backoff import Backoff
from core.errors import BadSetting
from core.signatures import ID, TIMESTAMP, verify
from core.webhook import NotDelivered, Patience, Webhook, from_environment

SECRET = SecretStr("0123456789abcdef")
QUICK = Patience(total_s=5, attempt_s=1, backoff=Backoff(attempts=4, base_s=0.01, cap_s=0.01))
Answer = int | tuple[int, dict[str, str]]


@dataclass
class Receiver:
    """What a server was sent, and what it answers in turn (200 after that)."""

    answers: list[Answer] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    dripping: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/t0ps3cretpath?x=1"

    def hook(self, patience: Patience = QUICK) -> Webhook:
        return Webhook(self.url, SECRET, patience=patience)


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.seen.append((self.path, dict(self.headers), body))
            if receiver.dripping:
                for _ in range(40):
                    self.wfile.write(b"H")
                    time.sleep(0.05)
            answer = receiver.answers.pop(0) if receiver.answers else 200
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the test."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_notification_arrives_signed_with_its_event_and_data(receiver):
    delivery = receiver.hook().notify("nightly.ended", {"done": 3, "name": "ünï"})
    ((path, headers, body),) = receiver.seen
    assert path == "/hooks/t0ps3cretpath?x=1"
    assert verify(body, headers, [SECRET]) == delivery.id
    assert json.loads(body) == {"id": delivery.id, "event": "nightly.ended", "data": {"done": 3, "name": "ünï"}}
    assert (delivery.status, delivery.attempts) == (200, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
def test_what_may_pass_is_tried_again_under_the_same_id_and_a_signature_of_its_own(receiver, status):
    receiver.answers = [status, status, 204]
    delivery = receiver.hook().notify("e", {}, id="night-7")
    assert (delivery.attempts, delivery.status) == (3, 204)
    assert [verify(body, headers, [SECRET]) for _, headers, body in receiver.seen] == ["night-7"] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_refusal_is_final(receiver, status):
    receiver.answers = [status]
    with pytest.raises(NotDelivered, match=rf"after 1 attempt: it answered with status {status}"):
        receiver.hook().notify("e", {})
    assert len(receiver.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver, status):
    with receiving() as elsewhere:
        receiver.answers = [(status, {"Location": elsewhere.url})]
        with pytest.raises(NotDelivered, match="redirect"):
            receiver.hook().notify("e", {})
        assert (len(receiver.seen), elsewhere.seen) == (1, [])


@pytest.mark.parametrize("when", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)], ids=["s", "date"])
def test_the_wait_a_receiver_asks_for_is_kept(receiver, when: Callable[[], str]):
    receiver.answers = [(429, {"Retry-After": when()})]
    began_s = time.monotonic()
    assert receiver.hook().notify("e", {}).attempts == 2
    assert time.monotonic() - began_s >= 0.9


def test_a_wait_longer_than_all_attempts_may_take_ends_it_at_once(receiver):
    receiver.answers = [(503, {"Retry-After": "3600"})]
    with pytest.raises(NotDelivered, match="status 503"):
        receiver.hook().notify("e", {})
    assert len(receiver.seen) == 1


def test_a_retry_after_that_makes_no_sense_is_passed_over(receiver):
    receiver.answers = [(503, {"Retry-After": "soon"})]
    assert receiver.hook().notify("e", {}).attempts == 2


def test_attempts_are_counted_out(receiver):
    receiver.answers = [500] * 9
    with pytest.raises(NotDelivered, match="after 4 attempts"):
        receiver.hook().notify("e", {})
    assert len(receiver.seen) == 4


def test_nobody_listening_is_tried_again_and_named_without_the_path():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    hook = Webhook(f"http://localhost:{port}/t0ps3cretpath", SECRET, patience=QUICK)
    with pytest.raises(NotDelivered, match="after 4 attempts: no connection") as raised:
        hook.notify("e", {})
    assert not any(word in f"{raised.value} {hook!r}" for word in ("t0ps3cretpath", SECRET.get_secret_value()))


def test_a_receiver_that_never_answers_or_drips_is_left_in_time(receiver):
    receiver.dripping = True
    once = Backoff(attempts=1)
    with pytest.raises(NotDelivered, match="no answer within 0.2 s"):
        receiver.hook(Patience(total_s=0.2, attempt_s=5, backoff=once)).notify("e", {})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = Webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", SECRET, patience=Patience(1, 0.2, once))
        with pytest.raises(NotDelivered, match="no answer within 0.2 s"):
            hook.notify("e", {})


def test_a_certificate_that_nobody_vouches_for_is_final(tmp_path: Path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*made, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, stderr=-3)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with receiving(tls) as receiver:
        hook = Webhook(f"https://localhost:{receiver.port}/", SECRET, patience=QUICK)
        with pytest.raises(NotDelivered, match="after 1 attempt: its certificate does not hold"):
            hook.notify("e", {})
        assert receiver.seen == []


def test_secrets_in_the_data_are_masked(receiver, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    receiver.hook().notify("e", {"error": "wJalrXUtnFEMI refused", "own": SECRET.get_secret_value()})
    assert not any(secret in receiver.seen[0][2] for secret in (b"wJalrXUtnFEMI", b"0123456789abcdef"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/hook", "https://"),
        ("http://127.0.0.1.example.org/", "https://"),
        ("http://169.254.169.254/latest/meta-data", "https://"),
        ("ftp://example.org/", "an address such as"),
        ("file:///etc/passwd", "an address such as"),
        ("https://user:hunter2@example.org/", "no user, password"),
        ("https://example.org/a b", "plain ASCII"),
        ("https://example.org/\r\nX-Evil: 1", "plain ASCII"),
        ("https://example.org:99999/", "port"),
        ("https:///hook", "an address such as"),
        ("hook", "an address such as"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_repeating_it(url, why):
    with pytest.raises(BadSetting, match=why) as raised:
        Webhook(url, SECRET)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["https://example.org/h", "http://localhost:8000", "http://[::1]:80/h", "http://127.1.2.3/"]
)
def test_https_anywhere_and_http_to_this_machine_are_taken(url):
    assert Webhook(url, SECRET).where.startswith(url.split(":")[0])


def test_a_short_secret_and_an_id_that_is_no_token_are_refused(receiver):
    with pytest.raises(BadSetting, match="16 characters"):
        Webhook(receiver.url, SecretStr("short"))
    with pytest.raises(ValueError, match="letters, digits"):
        receiver.hook().notify("e", {}, id="a\r\nX: 1")


def test_the_environment_names_receiver_and_secret(receiver, monkeypatch):
    monkeypatch.delenv("WINNOW_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("WINNOW_WEBHOOK_SECRET", raising=False)
    assert from_environment() is None
    monkeypatch.setenv("WINNOW_WEBHOOK_URL", receiver.url)
    with pytest.raises(BadSetting, match="WINNOW_WEBHOOK_SECRET"):
        from_environment()
    monkeypatch.setenv("WINNOW_WEBHOOK_SECRET", SECRET.get_secret_value())
    hook = from_environment(patience=QUICK)
    assert hook is not None
    delivery = hook.notify("e", {})
    assert receiver.seen[0][1][ID] == delivery.id
    assert abs(int(receiver.seen[0][1][TIMESTAMP]) - time.time()) < 60
