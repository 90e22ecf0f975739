"""Secrets stay inside: their values are masked in any text or value that goes out in a log, a message or a report.

What counts as one: every value told to `Mask`, the environment variables whose names say so, credentials and
signatures inside URIs, and what follows "Bearer" or "Basic". It is a net under code that should not write secrets
at all; a secret cut in pieces or encoded by its owner passes through.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import SecretBytes, SecretStr

MASK = "**********"
NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD")
"""An environment variable whose name holds one of these is secret."""
SHORTEST = 4
"""Shorter values are not masked: every third word would go."""
LONG = 8
"""Shorter ones are masked only where they stand as a word of their own, so that "test" leaves "latest" whole."""
FIELDS = re.compile(r"secret|password|passwd|authorization|(^|_)token$|(api|access|private)_?key", re.I)
"""Fields of data whose text is masked whatever it is. A plain "key" is not among them: stages have keys."""
PLAIN_WORDS = frozenset({"true", "false", "none", "null", "auto", "default"})
"""Values of switches whose names only sound secret, such as TOKENIZERS_PARALLELISM=false."""
PATTERNS = (
    re.compile(r"(?<=://)[^\s/@'\"]+(?=@)"),  # user and password in a URI
    re.compile(r"(?<=[?&])((?:X-Amz-(?:Signature|Credential|Security-Token)|sig|signature|token)=)[^&\s'\"]+", re.I),
    re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.I),
)


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """Values of the variables whose names say that they are secret."""
    return [
        value for name, value in environment.items() if any(part in name.upper() for part in NAMES) and _worth(value)
    ]


def _worth(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in PLAIN_WORDS


class Mask:
    """Masks the secrets it was told, and those that are in the environment at the time it is used."""

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        self._told = {value for secret in secrets if _worth(value := secret.get_secret_value())}

    def text(self, text: str) -> str:
        """The text with every secret value replaced, also where it is percent-encoded."""
        return self._text(text, self._values())

    def value(self, value: Any) -> Any:
        """The same for what is inside mappings and sequences; a field named as a secret loses its text."""
        return self._value(value, self._values())

    def _values(self) -> list[str]:
        """Longest first, so that of two secrets the one that holds the other goes whole."""
        values = {*self._told, *secrets_of(os.environ)}
        return sorted(values | {quote(value, safe="") for value in values}, key=lambda value: (-len(value), value))

    def _text(self, text: str, values: Sequence[str]) -> str:
        for value in values:
            if value in text:
                pattern = re.escape(value) if len(value) >= LONG else rf"(?<!\w){re.escape(value)}(?!\w)"
                text = re.sub(pattern, MASK, text)
        for pattern in PATTERNS:
            text = pattern.sub(lambda found: (found.group(1) if found.re.groups else "") + MASK, text)
        return text

    def _value(self, value: Any, values: Sequence[str]) -> Any:
        if isinstance(value, str):
            return self._text(value, values)
        if isinstance(value, SecretStr | SecretBytes):
            return MASK
        if isinstance(value, Mapping):
            return {
                name: MASK if _named_secret(name, inside) else self._value(inside, values)
                for name, inside in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self._value(inside, values) for inside in value]
        return value


def _named_secret(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, str | bytes) and FIELDS.search(name) is not None
