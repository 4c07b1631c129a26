"""The settings as a table: one row per key, derived from the models, so that both can never disagree."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from config.settings import Env, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off"})
KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {bool: "true or false", int: "a whole number", float: "a number", Decimal: "a number", str: "text"}
)


class Setting(NamedTuple):
    """One key of the configuration."""

    path: str
    """Dotted path, the canonical key in the file."""
    env: str
    """Name of its environment variable."""
    kind: type
    """bool, int, float, Decimal, str, or tuple for a list of choices."""
    choices: tuple[str, ...]
    """The values allowed, empty where a range or any text is."""
    default: object
    doc: str
    allowed: str
    """What is allowed, as the end of a sentence."""


def read_text(setting: Setting, text: str) -> object:
    """Return the typed value of a text from the environment or the command line.

    Raises ValueError when the text is not of the setting's kind; ranges are left to the models.
    """
    word = text.strip()
    if setting.kind is bool:
        if word.lower() in TRUE:
            return True
        if word.lower() in FALSE:
            return False
        raise ValueError(word)
    if setting.kind is tuple:
        return tuple(_choice(setting, part.strip()) for part in word.split(",") if part.strip())
    if setting.choices:
        return _choice(setting, word)
    if setting.kind is Decimal:
        try:
            return Decimal(word)
        except InvalidOperation as error:
            raise ValueError(word) from error
    return setting.kind(word)


def _choice(setting: Setting, word: str) -> str:
    """Return the choice a word means regardless of case, or the word itself for the models to refuse."""
    return next((choice for choice in setting.choices if choice.lower() == word.lower()), word)


@cache
def catalogue() -> Mapping[str, Setting]:
    """Return every setting by its dotted path, in the order of the models."""
    return MappingProxyType({setting.path: setting for setting in _walk(Settings, "")})


@cache
def by_env() -> Mapping[str, Setting]:
    """Return every setting by its environment name."""
    return MappingProxyType({setting.env: setting for setting in catalogue().values()})


@cache
def tables() -> Mapping[str, str]:
    """Return the dotted name of every table with its one sentence."""
    return MappingProxyType(dict(_tables(Settings, "")))


def _tables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield prefix + name, (inner.__doc__ or "").strip()
            yield from _tables(inner, f"{prefix}{name}.")


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _walk(inner, f"{prefix}{name}.")
        else:
            yield _row(prefix + name, field)


def _row(path: str, field: FieldInfo) -> Setting:
    env = next((item.name for item in field.metadata if isinstance(item, Env)), "")
    kind, choices = _kind(field.annotation)
    return Setting(
        path=path,
        env=env or "PERPDESK_" + path.upper().replace(".", "_"),
        kind=kind,
        choices=choices,
        default=field.default,
        doc=field.description or "",
        allowed=_allowed(kind, choices, field),
    )


def _kind(annotation: object) -> tuple[type, tuple[str, ...]]:
    """Return the plain type behind an annotation and its choices."""
    if get_origin(annotation) in {Union, UnionType}:
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is tuple:
        return tuple, tuple(get_args(get_args(annotation)[0]))
    if get_origin(annotation) is Literal:
        return str, tuple(get_args(annotation))
    assert isinstance(annotation, type)
    return annotation, ()


def _allowed(kind: type, choices: tuple[str, ...], field: FieldInfo) -> str:
    if kind is tuple:
        return "a list of " + ", ".join(choices)
    if choices:
        return "one of " + ", ".join(choices)
    words = [KINDS[kind]]
    for item in field.metadata:
        match item:
            case Ge():
                words.append(f"from {item.ge}")
            case Gt():
                words.append(f"above {item.gt}")
            case Le():
                words.append(f"up to {item.le}")
            case Lt():
                words.append(f"below {item.lt}")
            case _:
                pass
    return " ".join(words)
