"""Records to JSON and back, with their types checked on the way in."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(value: T, kind: type[T]) -> bytes:
    """`value`, which is of type `kind`, as indented JSON."""
    return _adapter(kind).dump_json(value, indent=1)


def load(data: bytes, kind: type[T]) -> T:
    """The value that `dump` wrote. Raises pydantic.ValidationError where the JSON is not a `kind`."""
    return _adapter(kind).validate_json(data)


def plain(value: T, kind: type[T]) -> Any:
    """`value` as dicts, lists, strings and numbers."""
    return _adapter(kind).dump_python(value, mode="json")
