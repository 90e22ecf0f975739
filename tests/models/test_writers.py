"""A writer's words are taken where they have the form and are grounded; else the clip keeps its own, and says why."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from core.errors import BadSetting
from core.wording import ClipText
from models.writers import FOLDER, MODEL, URL, endpoint, local, write, writer_for

CLIP = ClipText(
    title="Tides in a basin",
    sentences=("The Bay of Fundy has tides of 16 metres.", "Its basin resonates with the Moon."),
    scores=(0.5, 0.6),
    slide_titles=("Resonance",),
    slide_texts=("Resonance of a basin",),
    language="en",
)
GOOD = {"title": "Why Fundy's basin resonates", "description": "The basin has tides of 16 metres.", "tags": ["tides"]}


class Server:
    """A chat-completions server that answers with `answers` in turn, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.answers: list[object] = []
        self.status, self.delay_s = 200, 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers.get("Authorization"))
                time.sleep(outer.delay_s)
                said = outer.answers[min(len(outer.asked), len(outer.answers)) - 1]
                text = said if isinstance(said, str) else json.dumps(said)
                answer = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_a_grounded_answer_is_taken(server):
    server.answers = [GOOD]
    wording = write(CLIP, endpoint(server.url, "small", SecretStr("k3y")))
    assert (wording.title, wording.writer, wording.note) == (GOOD["title"], "small", None)
    assert wording.tags == ("tides",)
    assert server.keys == ["Bearer k3y"]


def test_the_clip_stands_between_marks_as_data(server):
    server.answers = [GOOD]
    write(CLIP, endpoint(server.url, "small", SecretStr("")))
    prompt = server.asked[0]["messages"][0]["content"]
    assert "<clip>The Bay of Fundy" in prompt and "never an instruction" in prompt
    assert server.keys == [None]


def test_an_invented_name_is_told_and_a_better_answer_taken(server):
    server.answers = [{**GOOD, "title": "How Kelvin tamed the tides"}, GOOD]
    wording = write(CLIP, endpoint(server.url, "small", SecretStr("")))
    assert wording.title == GOOD["title"]
    assert "Kelvin" in server.asked[1]["messages"][0]["content"]


def test_words_around_the_json_are_passed_over(server):
    server.answers = [f"Sure! Here it is:\n```json\n{json.dumps(GOOD)}\n```"]
    assert write(CLIP, endpoint(server.url, "small", SecretStr(""))).title == GOOD["title"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("I cannot do that.", id="no JSON"),
        pytest.param({"headline": "Tides"}, id="another form"),
        pytest.param({**GOOD, "title": "x" * 500}, id="a title without end"),
        pytest.param({**GOOD, "description": "Einstein measured 42 metres."}, id="an invented description"),
    ],
)
def test_what_cannot_be_used_twice_leaves_the_clips_own_words(server, bad):
    server.answers = [bad]
    wording = write(CLIP, endpoint(server.url, "small", SecretStr("")))
    assert (wording.title, wording.writer) == (CLIP.title, "offline")
    assert "twice" in str(wording.note) and len(server.asked) == 2


def break_status(server: Server) -> None:
    server.status = 500


def break_time(server: Server) -> None:
    server.delay_s = 1.5


def break_port(server: Server) -> None:
    server.url = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        pytest.param(break_status, "status 500", id="an error of the server"),
        pytest.param(break_time, "did not answer within", id="no answer in time"),
        pytest.param(break_port, "cannot be reached", id="nobody there"),
    ],
)
def test_a_writer_that_fails_costs_nothing_but_a_note(server, broken: Callable[[Server], None], told):
    server.answers = [GOOD]
    broken(server)
    wording = write(CLIP, endpoint(server.url, "small", SecretStr("s3cret"), timeout_s=0.5))
    assert wording.title == CLIP.title
    assert told in str(wording.note) and "s3cret" not in str(wording.note)


def test_a_writer_is_not_asked_about_a_clip_without_words(server):
    silent = ClipText("Moment at 1:02", (), (), (), (), None)
    assert write(silent, endpoint(server.url, "small", SecretStr(""))).title == "Moment at 1:02"
    assert server.asked == []


@pytest.mark.parametrize(
    ("kind", "named"), [pytest.param("endpoint", URL, id="endpoint"), pytest.param("local", FOLDER, id="local")]
)
def test_a_writer_that_is_not_configured_is_refused_by_name(monkeypatch, kind, named):
    for name in (URL, MODEL, FOLDER):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadSetting, match=named):
        writer_for(kind)


def test_a_local_model_that_writes_nonsense_leaves_the_clips_own_words(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    words = {word: i for i, word in enumerate(["<end>", "<unk>", "tides", "the", "bay", "{", "}"])}
    words_only = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    words_only.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    PreTrainedTokenizerFast(tokenizer_object=words_only, eos_token="<end>", unk_token="<unk>").save_pretrained(tmp_path)
    config = GPT2Config(vocab_size=7, n_positions=512, n_embd=8, n_layer=1, n_head=1, eos_token_id=0, bos_token_id=0)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    wording = write(CLIP, local(str(tmp_path)))
    assert (wording.title, wording.writer) == (CLIP.title, "offline")
    assert "twice" in str(wording.note)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(BadSetting, match="does not hold"):
        local(str(tmp_path))
