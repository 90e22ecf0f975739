"""How flows on models name a version, find it, and show its figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.records import ModelRef
from flows.evaluate_command import FIGURES
from models import registry

Column = tuple[str, Mapping[str, Any]]
"""A heading, and figures in percent by name; null where nothing could be measured."""


def registry_root(uri: str | None) -> str:
    """The root that a parameter names; the user's own where it is empty."""
    if not uri:
        return registry.user_root()
    return uri if "://" in uri else str(Path(uri).expanduser().absolute())


def told(ref: ModelRef) -> str:
    """A version as people write it."""
    return f"{ref.name}@{ref.version}"


def figure_rows(columns: Sequence[Column]) -> list[dict[str, str]]:
    """A row a figure that any column has, with a cell a column, for a table artifact."""
    return [
        {"percent": title, **{heading: number(figures.get(key)) for heading, figures in columns}}
        for key, title in FIGURES.items()
        if any(key in figures for _, figures in columns)
    ]


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows with the same keys as a Markdown table; no rows, no table."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', ' ') for cell in line)} |" for line in lines)


def number(value: float | None) -> str:
    """A figure with two decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"
