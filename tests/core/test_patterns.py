import pytest

from core.errors import BadSetting
from core.patterns import matcher

CASES = [
    ("*.mp4", "a.mp4", True),
    ("*.mp4", "deep/er/a.mp4", True),
    ("*.mp4", "a.MP4", True),
    ("*.mp4", "a.mp4.part", False),
    ("/*.mp4", "a.mp4", True),
    ("/*.mp4", "deep/a.mp4", False),
    ("2026/*.mp4", "2026/a.mp4", True),
    ("2026/*.mp4", "2026/01/a.mp4", False),
    ("2026/*.mp4", "old/2026/a.mp4", False),
    ("2026/**/*.mp4", "2026/a.mp4", True),
    ("2026/**/*.mp4", "2026/01/02/a.mp4", True),
    ("**/raw/**", "x/raw/a.mp4", True),
    ("**/raw/**", "raw/a/b.mp4", True),
    ("**/raw/**", "x/raw", False),
    ("**/raw/**", "draw/a.mp4", False),
    ("raw/", "raw/a/b.mp4", True),
    ("raw/", "raw", False),
    ("**", "any/thing", True),
    ("**/**/a.mp4", "a.mp4", True),
    ("lecture-?.mp4", "lecture-1.mp4", True),
    ("lecture-?.mp4", "lecture-12.mp4", False),
    ("a?b", "a/b", False),
    ("[ab]*.mp4", "b1.mp4", True),
    ("[!ab]*.mp4", "b1.mp4", False),
    ("[!ab]*.mp4", "c1.mp4", True),
    ("x[!a]y", "x/y", False),
    ("[0-9].mp4", "7.mp4", True),
    ("[*].mp4", "*.mp4", True),
    ("[*].mp4", "a.mp4", False),
    ("[]].mp4", "].mp4", True),
    ("[^a].mp4", "^.mp4", True),
    ("[.mp4", "[.mp4", True),
    ("a+b(1).mp4", "a+b(1).mp4", True),
    ("a.mp4", "abmp4", False),
    ("*.mp4", "line\nbreak.mp4", True),
    ("*.mp4", "\udcff.mp4", True),
    ("100%.mp4", "100%.mp4", True),
    ("über*", "ÜBER uns.mp4", True),
]


@pytest.mark.parametrize(("pattern", "key", "taken"), CASES)
def test_a_pattern_takes_what_it_says(pattern, key, taken):
    assert matcher([pattern])(key) is taken


def test_without_patterns_everything_is_taken():
    assert matcher()("any/thing.xyz")


def test_exclude_wins_and_any_include_will_do():
    taken = matcher(["*.mp4", "*.mkv"], ["raw/"])
    assert taken("a.mp4")
    assert taken("b/a.mkv")
    assert not taken("a.txt")
    assert not taken("raw/a.mp4")


@pytest.mark.parametrize("pattern", ["", "/", "//"])
def test_an_empty_pattern_is_refused(pattern):
    with pytest.raises(BadSetting, match="no pattern"):
        matcher([pattern])


@pytest.mark.parametrize("pattern", ["[z-a].mp4"])
def test_a_range_that_runs_backwards_is_refused(pattern):
    with pytest.raises(BadSetting, match="z-a"):
        matcher([pattern])
