"""What docs/observe.md promises: every metric is named in it, and its receiver knows genuine notifications."""

import json
import re
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.metrics import METRICS, as_markdown
from core.signatures import ID, SIGNATURE, TIMESTAMP, signature

DOC = Path(__file__).parents[2] / "docs/observe.md"
SECRET = "a secret of enough letters"
BODY = json.dumps({"id": "night-1", "event": "nightly.ended", "data": {}}).encode()


def test_every_metric_is_explained_as_it_is_declared():
    assert as_markdown() in DOC.read_text()
    assert {
        "winnow_stage_seconds",
        "winnow_failures",
        "winnow_real_time_factor",
        "winnow_queue_depth",
    } <= METRICS.keys()


@pytest.mark.parametrize(
    ("change", "believed"),
    [
        pytest.param({}, True, id="as it was sent"),
        pytest.param({"body": BODY.replace(b"night-1", b"night-2")}, False, id="another body"),
        pytest.param({"age_s": 400}, False, id="an old one"),
        pytest.param({"secret": "another secret of letters"}, False, id="another sender"),
        pytest.param({"id": "night-2"}, False, id="an id that was not signed"),
    ],
)
def test_the_receiver_in_the_docs_believes_what_is_genuine_alone(change, believed):
    (block,) = re.findall(r"^```python\n(.*?)^```", DOC.read_text(), re.MULTILINE | re.DOTALL)
    names = {}
    exec(compile(block, str(DOC), "exec"), names)
    stamp = str(int(time.time()) - change.get("age_s", 0))
    headers = {
        TIMESTAMP: stamp,
        SIGNATURE: signature(SecretStr(change.get("secret", SECRET)), stamp, BODY),
        ID: change.get("id", "night-1"),
    }
    assert names["genuine"](change.get("body", BODY), headers, SECRET) is believed
