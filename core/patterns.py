"""Which files of an inbox are meant: glob patterns on a file's path below the inbox.

    *       any characters but "/"            ?      one character but "/"
    **      as a whole part: any folders, or none    [ab] [!a-z]   one of, none of these characters

A pattern without "/" is held against the file's name in whichever folder ("*.mp4"); one with "/" against the whole
path ("2026/**/*.mp4"); one that begins with "/" is for the top folder ("/*.mp4"); one that ends with "/" is for all
that lies below ("raw/"). Case does not count: cameras write .MP4. `[*]` stands for the character itself.
"""

import re
from collections.abc import Callable, Sequence

from core.errors import BadSetting


def matcher(include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Callable[[str], bool]:
    """A function that says whether a path (with "/", relative to the inbox) is taken.

    With no `include` all are; where both match, `exclude` wins. Raises BadSetting for a pattern that is none.
    """
    wanted, unwanted = [_compiled(p) for p in include], [_compiled(p) for p in exclude]

    def taken(key: str) -> bool:
        return (not wanted or any(p.fullmatch(key) for p in wanted)) and not any(p.fullmatch(key) for p in unwanted)

    return taken


def _compiled(pattern: str) -> re.Pattern[str]:
    anchored, inner = pattern.startswith("/"), pattern.lstrip("/")
    if not inner:
        raise BadSetting(f"{pattern!r} is no pattern of file names; write for example *.mp4 or raw/**.")
    if inner.endswith("/"):
        inner += "**"
    parts = inner.split("/")
    if len(parts) == 1 and not anchored:
        parts = ["**", *parts]
    try:
        return re.compile(_regex(parts), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise BadSetting(f"{pattern!r} is no pattern of file names: {error.msg}.") from error


def _regex(parts: list[str]) -> str:
    text = ""
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part != "**":
            text += _part(part) + ("" if last else "/")
        elif last:
            text += ".+"
        elif position == 0 or parts[position - 1] != "**":  # "**/**" says no more than "**"
            text += "(?:.+/)?"
    return text


def _part(part: str) -> str:
    """The regular expression of what stands between two slashes. An unclosed "[" stands for itself."""
    text, rest = "", part
    while rest:
        bracket = re.match(r"\[(!?)(\]?[^\]]*)\]", rest)
        if bracket and bracket[2]:
            characters = re.sub(r"([\\\[\]&~|^])", r"\\\1", bracket[2])
            text += f"[{'^/' if bracket[1] else ''}{characters}]"
            rest = rest[bracket.end() :]
            continue
        text += {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0]))
        rest = rest.lstrip("*") if rest[0] == "*" else rest[1:]
    return text
