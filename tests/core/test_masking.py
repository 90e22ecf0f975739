"""Secrets stay inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.masking import MASK, Mask


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "PREFECT_API_KEY", "HF_TOKEN", "db_password"])
def test_the_value_of_a_secret_variable_is_masked(monkeypatch, name):
    monkeypatch.setenv(name, "hunter2-hunter2")
    assert Mask().text("login with hunter2-hunter2 failed") == f"login with {MASK} failed"


def test_a_secret_that_is_set_later_is_masked_too(monkeypatch):
    mask = Mask()
    monkeypatch.setenv("LATE_TOKEN", "came-afterwards")
    assert "came-afterwards" not in mask.text("came-afterwards")


def test_the_percent_encoded_form_is_masked():
    assert Mask([SecretStr("a/b c+d&e1")]).text("x=a%2Fb%20c%2Bd%26e1") == f"x={MASK}"


def test_of_two_secrets_the_longer_one_goes_whole():
    assert Mask([SecretStr("longsecret"), SecretStr("longsecret-2")]).text("longsecret-2") == MASK


def test_a_short_secret_is_masked_as_a_word_and_leaves_other_words_whole(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert Mask().text("test of the latest") == f"{MASK} of the latest"


def test_switches_whose_names_sound_secret_leave_plain_words_alone(monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert Mask().text("it is false") == "it is false"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("s3://AKIA123:sEcr3t@host/bucket", "sEcr3t"),
        ("https://b.s3.test/k?X-Amz-Signature=0a1b2c3d&X-Amz-Expires=60", "0a1b2c3d"),
        ("Authorization: Bearer abcdef.ghijkl-mnop", "abcdef.ghijkl-mnop"),
    ],
)
def test_credentials_are_masked_by_where_they_stand(text, secret):
    masked = Mask().text(text)
    assert secret not in masked
    assert MASK in masked


def test_data_is_masked_inside_and_by_the_names_of_its_fields():
    data = {"key": "stage-key", "api_key": "x", "deep": [{"password": "y"}, SecretStr("z")], "n": 3}
    assert Mask().value(data) == {"key": "stage-key", "api_key": MASK, "deep": [{"password": MASK}, MASK], "n": 3}


@given(st.text(min_size=8, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_no_long_secret_is_left_whatever_stands_around_it(secret, before, after):
    masked = Mask([SecretStr(secret)]).text(before + secret + after)
    assert secret not in masked or secret in MASK or secret in before + MASK + after
