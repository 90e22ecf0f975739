"""The report page as a browser's parser sees it."""

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "img", "input", "br"}


class Parsed(HTMLParser):
    """The page as a browser's parser sees it: elements with attributes, text by element, and unbalanced tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        wanted = attributes.items()
        return [found for name, found in self.elements if name == tag and all(found.get(k) == v for k, v in wanted)]

    def text(self, tag: str) -> str:
        return " ".join("".join(self.inside.get(tag, [])).split())

    def links(self) -> list[str]:
        """All that a browser would load or go to."""
        names = ("src", "href", "poster", "srcset", "data-src", "data-poster", "data-vtt")
        return [attributes[name] for _, attributes in self.elements for name in names if name in attributes]

    def data(self) -> dict[str, Any]:
        return json.loads(self.inside["script"][0])

    def is_sound(self) -> bool:
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        targets = [a["href"][1:] for _, a in self.elements if a.get("href", "").startswith("#")]
        return not self.unbalanced and not self.open and len(ids) == len(set(ids)) and set(targets) <= set(ids)
