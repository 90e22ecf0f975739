"""What a version's manifest says, for people: the card that a version gets where its trainer wrote none."""

from collections.abc import Mapping
from typing import Any

KEY_METRIC = "top3_f1"
"""The figure shown where there is room for one: F1 of the best three sentences of each clip, in percent."""
FACTS = {
    "kind": "Kind",
    "encoder": "Sentence encoder",
    "parent": "Made from",
    "data_fingerprint": "Data fingerprint",
    "code_version": "Made by",
    "created_at": "Made at",
}


def flat_metrics(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's metrics in one level, in their order: {"vt-ssum": {"top3_f1": 45.6}} has "vt-ssum/top3_f1"."""
    metrics = manifest.get("metrics")
    return _flat(metrics) if isinstance(metrics, Mapping) else {}


def key_metric(manifest: Mapping[str, Any]) -> tuple[str, float] | None:
    """Name and value of the metric to show alone: the first Top-3 F1 there is, else the first number, else None."""
    numbers = {
        name: float(value)
        for name, value in flat_metrics(manifest).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    best = [name for name in numbers if name.rsplit("/", 1)[-1] == KEY_METRIC]
    return next(((name, numbers[name]) for name in [*best, *numbers]), None)


def model_card(manifest: Mapping[str, Any]) -> str:
    """A card in Markdown from the manifest's fields; says plainly what the manifest does not."""
    metrics = flat_metrics(manifest)
    trained_on = manifest.get("trained_on") or []
    sections = [
        f"# {manifest['name']} {manifest['version']}",
        str(manifest["description"]),
        _table(("", ""), {title: told(manifest[key]) for key, title in FACTS.items() if manifest.get(key)}),
        "## Trained on",
        "\n".join(f"- {told(source)}" for source in trained_on)
        or "Nothing was trained, or its maker did not say on what.",
        "## Measured",
        _table(("measure", "value"), {name: told(value) for name, value in metrics.items()})
        if metrics
        else "No figure was recorded.",
        "## Licence",
        str(manifest["licence"]),
    ]
    if manifest.get("consent"):
        sections += ["Whoever uses this version has to agree to this:", _quoted(str(manifest["consent"]))]
    return "\n\n".join(sections) + "\n"


def told(value: Any) -> str:
    """A manifest's value on one line."""
    if isinstance(value, Mapping):
        if {"name", "version"} <= set(value):
            return f"{value['name']}@{value['version']}"
        return ", ".join(f"{key} {told(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(told(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def _flat(metrics: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in metrics.items():
        flat |= _flat(value, f"{above}{name}/") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return flat


def _table(heading: tuple[str, str], rows: Mapping[str, str]) -> str:
    lines = [heading, ("---", "---"), *rows.items()]
    return "\n".join(f"| {_cell(left)} | {_cell(right)} |" for left, right in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
