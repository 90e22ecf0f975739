"""Who may believe a notification."""

import hashlib
import hmac

import pytest
from pydantic import SecretStr

from core.signatures import ID, SIGNATURE, TIMESTAMP, NotGenuine, signature, verify

SECRET, OLD = SecretStr("a secret of many characters"), SecretStr("the secret of last month")
BODY = b'{"id":"n-1","event":"nightly.ended","data":{}}'
NOW = 1_790_000_000


def signed(body: bytes = BODY, *, secret: SecretStr = SECRET, at: int = NOW, id: str = "n-1") -> dict[str, str]:
    return {ID: id, TIMESTAMP: str(at), SIGNATURE: signature(secret, str(at), body)}


def test_the_signature_is_plain_hmac_sha256_over_time_and_body():
    expected = hmac.new(b"a secret of many characters", b"1790000000." + BODY, hashlib.sha256).hexdigest()
    assert signature(SECRET, str(NOW), BODY) == f"v1={expected}"


def test_a_genuine_notification_gives_its_id_whatever_the_case_of_its_headers():
    headers = {name.lower(): value for name, value in signed().items()}
    assert verify(BODY, headers, [SECRET], now=NOW) == "n-1"


def test_while_a_secret_is_changed_both_hold():
    assert verify(BODY, signed(secret=OLD), [SECRET, OLD], now=NOW) == "n-1"
    with pytest.raises(NotGenuine, match="does not fit"):
        verify(BODY, signed(secret=OLD), [SECRET], now=NOW)


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (signed(), BODY + b" ", "does not fit"),
        (signed() | {TIMESTAMP: str(NOW + 1)}, BODY, "does not fit"),
        (signed() | {SIGNATURE: "v1=ünï"}, BODY, "does not fit"),
        (signed() | {TIMESTAMP: "-1"}, BODY, "whole number"),
        (signed() | {ID: "n-2"}, BODY, "the id is not"),
        ({k: v for k, v in signed().items() if k != SIGNATURE}, BODY, "is missing"),
        (signed(b"no json"), b"no json", "no JSON"),
        (signed(b"[1]"), b"[1]", "the id is not"),
    ],
    ids=["body changed", "time changed", "signature strange", "time strange", "id changed", "header missing",
         "no JSON", "no object"],
)  # fmt: skip
def test_what_was_tampered_with_is_not_believed(headers, body, why):
    with pytest.raises(NotGenuine, match=why):
        verify(body, headers, [SECRET], now=NOW)


@pytest.mark.parametrize("age_s", [-301, 301])
def test_what_was_signed_outside_the_window_is_not_believed(age_s):
    with pytest.raises(NotGenuine, match="300 s"):
        verify(BODY, signed(), [SECRET], now=NOW + age_s)
    assert verify(BODY, signed(), [SECRET], now=NOW + age_s, window_s=600) == "n-1"
