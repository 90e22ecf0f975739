"""Captions: words timed to be read, in lines, in captions that obey the rules as far as speech allows.

Where a caption ends is chosen by dynamic programming over the words (`core.reading`), then when each is shown by a
second one over start times (`core.caption_times`); each is optimal for its own cost, and both are deterministic.
Speech that is still too fast to be read may be condensed (`core.condensing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nextafter
from typing import Literal

from core.caption_ass import burn_rules, to_ass
from core.caption_files import to_srt, to_vtt
from core.caption_report import ROUNDING_S, LeftOut, read_chars, violations
from core.caption_times import show_times
from core.condensing import Omission, omissions, without
from core.reading import CaptionRules, Layout, SpokenCue, units_of
from core.records import Cue, Word
from core.shortening import least_telling

__all__ = [
    "CaptionRules",
    "Captions",
    "SpokenCue",
    "build_captions",
    "build_cues",
    "burn_rules",
    "retime",
    "to_ass",
    "to_srt",
    "to_vtt",
    "violations",
]

REACH = (0, 1, 2, 3)
"""How many captions away from one that is too fast words are left out, the nearest first."""
Condense = Literal["no", "fillers", "all"]
ROUNDS = 6
"""How often captions are laid out anew at most, each time with more left out."""


@dataclass(frozen=True, slots=True)
class Captions:
    """Captions of a clip, and what of its words they leave out."""

    spoken: tuple[SpokenCue, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def cues(self) -> tuple[Cue, ...]:
        return tuple(each.cue for each in self.spoken)


def build_captions(
    words: Sequence[Word], *, end_s: float, rules: CaptionRules | None = None, condense: Condense = "fillers"
) -> Captions:
    """Captions of `words` inside [0, end_s), in order and never overlapping; deterministic.

    Args:
        words: On the clip's own timeline, 0 being its start; text without surrounding spaces.
        end_s: The clip's length.
        condense: Where a caption is too fast to be read although all time around it is used, leave out what
            `core.condensing` offers, as little as does, and tell of it; with "all" then also the least telling other
            words (`core.shortening`), until it can be read. "no" shows every word.

    Lines and their number always obey the rules: a longer word is cut. A caption of fast speech starts a little
    early, stays through the pause after it, or lags behind, so that a fast passage averages out. What is still too
    fast then remains, and `violations` tells.
    """
    rules = rules or CaptionRules()
    spoken = _laid_out(words, end_s, rules)
    offered = [omissions(words)] if condense != "no" else []
    offered += [least_telling(words)] if condense == "all" else []
    chosen: list[Omission] = []
    origin = list(range(len(words)))
    for offers in offered:
        for _ in range(ROUNDS if offers else 0):
            picks = _picked(spoken, origin, offers, chosen, rules)
            if not picks:
                break
            chosen = sorted([*chosen, *picks], key=lambda omission: omission.first)
            kept, origin = without(words, chosen)
            spoken = _laid_out(kept, end_s, rules)
    return Captions(tuple(spoken), tuple(_told(words, omission) for omission in chosen))


def build_cues(words: Sequence[Word], *, end_s: float, rules: CaptionRules | None = None) -> list[Cue]:
    """Captions with every word of `words`, as `build_captions` makes them."""
    return list(build_captions(words, end_s=end_s, rules=rules, condense="no").cues)


def retime(words: Sequence[Word], start_s: float, end_s: float) -> list[Word]:
    """The words whose middle is in [start_s, end_s), on the timeline that begins at `start_s`, cut at its edges."""
    kept: list[Word] = []
    for word in words:
        if start_s <= (word.start_s + word.end_s) / 2 < end_s:
            from_s = max(word.start_s, start_s) - start_s
            to_s = max(min(word.end_s, end_s) - start_s, nextafter(from_s, inf))
            kept.append(Word(word.text, from_s, to_s, word.probability))
    return kept


def _laid_out(words: Sequence[Word], end_s: float, rules: CaptionRules) -> list[SpokenCue]:
    if not 0 < end_s < inf:
        raise ValueError(f"Captions need a finite end_s > 0, got {end_s}")
    units = units_of(words, end_s, rules)
    if not units:
        return []
    layout = Layout(units, end_s, rules)
    runs = layout.captions()
    said = [(units[i].start_s, units[j - 1].end_s) for i, j in runs]
    needed_s = [max(rules.min_cue_s, layout.width(i, j) / rules.max_chars_per_s) for i, j in runs]
    spoken: list[SpokenCue] = []
    for (i, j), (start_s, stop_s) in zip(runs, show_times(said, needed_s, end_s, rules), strict=True):
        rounded = round(start_s, 3), min(round(stop_s, 3), end_s)
        start_s, stop_s = rounded if rounded[0] < rounded[1] else (start_s, stop_s)
        _, m = layout.split(i, j)
        lines = tuple(tuple(units[a:b]) for a, b in ((i, m), (m, j)) if a < b)
        spoken.append(SpokenCue(Cue(start_s, stop_s, layout.lines(i, j)), lines))
    return spoken


def _picked(
    spoken: Sequence[SpokenCue],
    origin: Sequence[int],
    offers: Sequence[Omission],
    chosen: Sequence[Omission],
    rules: CaptionRules,
) -> list[Omission]:
    """What to leave out next: for each caption that is too fast, the least needed that makes up for the excess.

    What stands in the caption itself goes first, then what stands near it, which then leaves it more time.
    """
    gone = {i for omission in chosen for i in range(omission.first, omission.last)}
    extents = [_extent(each, origin) for each in spoken]
    picks: list[Omission] = []
    for k, each in enumerate(spoken):
        excess = _excess_chars(each.cue, rules)
        if excess <= 0:
            continue
        for reach in REACH:
            first, last = extents[max(0, k - reach)][0], extents[min(len(spoken) - 1, k + reach)][1]
            near = [o for o in offers if first <= o.first and o.last <= last]
            for offer in sorted(near, key=lambda o: (o.grade, -o.saved, o.first)):
                if excess > 0 and gone.isdisjoint(range(offer.first, offer.last)):
                    picks.append(offer)
                    gone.update(range(offer.first, offer.last))
                    excess -= offer.saved
            if excess <= 0:
                break
    return picks


def _extent(spoken: SpokenCue, origin: Sequence[int]) -> tuple[int, int]:
    """The words [first, last) that a caption stands for, by their places before anything was left out."""
    return origin[spoken.lines[0][0].word], origin[spoken.lines[-1][-1].word] + 1


def _excess_chars(cue: Cue, rules: CaptionRules) -> float:
    return read_chars(cue) - rules.max_chars_per_s * (cue.end_s - cue.start_s + ROUNDING_S)


def _told(words: Sequence[Word], omission: Omission) -> LeftOut:
    said = " ".join(word.text for word in words[omission.first : omission.last])
    return LeftOut(round(words[omission.first].start_s, 3), said, omission.reason, omission.instead or None)
