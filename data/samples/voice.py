"""Text to speech with exact word times, through the C library of flite (Debian and Ubuntu: `apt install flite`).

The program `flite` prints words and phones but not which phones make a word; the library's utterance knows.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_float, c_int, c_short, c_void_p
from dataclasses import dataclass
from functools import cache

import numpy as np

RATE_HZ = 16_000
VOICE = "rms"
FIRST_SOUND = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
LAST_SOUND = b"R:SylStructure.daughtern.daughtern.R:Segment.end"
"""Paths through flite's utterance: a word's first phone begins where the phone before it ends."""


class _Wave(ctypes.Structure):
    """`cst_wave` of flite's cst_wave.h."""

    _fields_ = (
        ("type", c_char_p),
        ("sample_rate", c_int),
        ("num_samples", c_int),
        ("num_channels", c_int),
        ("samples", POINTER(c_short)),
    )


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word as written in the text, with its times from the start of the first word."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance: mono float32 samples at RATE_HZ from its first sound to its last, and its words."""

    samples: np.ndarray
    words: tuple[SpokenWord, ...]


@cache
def _flite() -> tuple[ctypes.CDLL, int]:
    """The library with its functions declared, and a pointer to the voice."""
    library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
    for part in ("cmulex", "usenglish"):
        ctypes.CDLL(f"libflite_{part}.so.1", mode=ctypes.RTLD_GLOBAL)
    register = ctypes.CDLL(f"libflite_cmu_us_{VOICE}.so.1")[f"register_cmu_us_{VOICE}"]
    declared = (
        (library.flite_synth_text, c_void_p, (c_char_p, c_void_p)),
        (library.utt_relation, c_void_p, (c_void_p, c_char_p)),
        (library.relation_head, c_void_p, (c_void_p,)),
        (library.item_next, c_void_p, (c_void_p,)),
        (library.ffeature_float, c_float, (c_void_p, c_char_p)),
        (library.ffeature_string, c_char_p, (c_void_p, c_char_p)),
        (library.utt_wave, POINTER(_Wave), (c_void_p,)),
        (library.delete_utterance, None, (c_void_p,)),
        (register, c_void_p, (c_char_p,)),
    )
    for function, result, arguments in declared:
        function.restype, function.argtypes = result, arguments
    library.flite_init()
    return library, register(None)


def speak(text: str) -> Speech:
    """Speak `text`, one utterance. Raises ValueError where flite splits it into other words than spaces do."""
    library, voice = _flite()
    utterance = library.flite_synth_text(text.encode("ascii"), voice)
    try:
        wave = library.utt_wave(utterance).contents
        rate_hz = wave.sample_rate
        samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32) / 32768
        times = _token_times(library, utterance)
    finally:
        library.delete_utterance(utterance)
    written = text.split()
    if len(times) != len(written) or rate_hz != RATE_HZ:
        raise ValueError(f"flite hears {len(times)} words at {rate_hz} Hz in {text!r}: write it more plainly")
    begin_s, end_s = times[0][0], times[-1][1]
    words = tuple(SpokenWord(w, a - begin_s, b - begin_s) for w, (a, b) in zip(written, times, strict=True))
    return Speech(samples[round(begin_s * RATE_HZ) : round(end_s * RATE_HZ)], words)


def _token_times(library: ctypes.CDLL, utterance: int) -> list[tuple[float, float]]:
    """Start and end of each written word; a number is one written word of several spoken ones."""
    times: list[tuple[float, float]] = []
    token = library.relation_head(library.utt_relation(utterance, b"Token"))
    while token:
        start_s = library.ffeature_float(token, b"daughter1." + FIRST_SOUND)
        end_s = library.ffeature_float(token, b"daughtern." + LAST_SOUND)
        times.append((start_s, end_s))
        token = library.item_next(token)
    return times
