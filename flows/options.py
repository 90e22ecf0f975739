"""Settings as options of the command, and as parameters of the flow: both are made from `core.settings`."""

import argparse
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from core.errors import BadSetting
from core.settings import Group, SelectionSettings, Settings


def fields() -> Iterator[tuple[str | None, str, FieldInfo]]:
    """(group or None, name, field) of every setting; names are unique."""
    for group_name, group in Settings.model_fields.items():
        if isinstance(group.default, Group):
            for name, field in type(group.default).model_fields.items():
                yield group_name, name, field
        else:
            yield None, group_name, group


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for each setting, under the heading of its group, with the default in its help."""
    headings: dict[str | None, Any] = {}
    for group, name, field in fields():
        if group not in headings:
            title = (type(Settings.model_fields[group].default).__doc__ if group else None) or "The rest"
            headings[group] = parser.add_argument_group(title.rstrip("."))
        _add_option(headings[group], name, field)


def _add_option(parser: Any, name: str, field: FieldInfo) -> None:
    flag = "--" + name.replace("_", "-")
    shown = "" if field.default in (None, "", ()) else f" (default: {_shown(field.default)})"
    text = ((field.description or "") + shown).replace("%", "%%")
    if field.annotation is bool:
        parser.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, help=text, default=None)
        return
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else None
    if get_origin(field.annotation) is tuple:
        metavar = "A,B"
    else:
        metavar = None if choices else "TEXT" if str in (field.annotation, *get_args(field.annotation)) else "N"
    parser.add_argument(flag, dest=name, choices=choices, metavar=metavar, help=text, default=None)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings_from(given: argparse.Namespace) -> Settings:
    """The settings that a command line gives. Raises BadSetting with one sentence for each that is wrong."""
    values: dict[str, Any] = {}
    for group, name, _ in fields():
        value = getattr(given, name)
        if value is not None:
            (values.setdefault(group, {}) if group else values)[name] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSetting(problems(error)) from error


def checked(name: str, value: str | None) -> Any:
    """One selection setting as a command without the others takes it; its default where none is given."""
    try:
        return getattr(SelectionSettings.model_validate({} if value is None else {name: value}), name)
    except ValidationError as error:
        raise BadSetting(problems(error)) from error


def problems(error: ValidationError) -> str:
    """What pydantic found wrong, a sentence each, named as the options are."""
    sentences = []
    for found in error.errors():
        names = [part for part in found["loc"] if isinstance(part, str)]
        message = found["msg"].removeprefix("Value error, ")
        got = f", got {found['input']!r}" if names and not isinstance(found["input"], dict) else ""
        option = f"--{names[-1].replace('_', '-')}: " if names and "model" not in found["type"] and got else ""
        sentences.append(f"{option}{message}{got}")
    return "; ".join(sentences) + "."


def flow_parameters(settings: Settings) -> dict[str, Any]:
    """The same settings as the flow `highlight` takes them: everyday ones by name, the rest in their groups."""
    everyday = {"burn_captions", "renditions", "hls"}
    encoding = settings.rendering.model_dump(exclude=everyday)
    return {
        **settings.selection.model_dump(),
        **settings.speech.model_dump(),
        **settings.look.model_dump(),
        **settings.rendering.model_dump(include=everyday),
        "model": settings.model,
        "reel": settings.reel,
        "encoding": encoding,
        "writing": settings.writing.model_dump(),
        "silences": settings.silences.model_dump(),
        "admission": settings.admission.model_dump(),
    }
