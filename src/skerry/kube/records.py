"""`record`: what `@dataclass(frozen=True, slots=True)` makes, at a seventh of the cost.

The standard library compiles six methods for each class, which takes a millisecond. With hundreds of classes that was
two fifths of the time until engine or test cluster were imported. Here one method is compiled: `__init__`, which sets
slots directly and so is quicker as well. `dataclasses.replace` and `fields` work: what they need is made when they
ask. Refused are fields for keywords only, and dataclasses as bases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, field, make_dataclass
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")
_Known = dict[str, tuple[Any, Any]]
"""Fields in order: type as it is annotated, default as it is given (a value, a `Field`, MISSING)."""
_SKIPPED = ("__dict__", "__weakref__")


@dataclass_transform(frozen_default=True, field_specifiers=(Field, field))
def record(cls: type[_T]) -> type[_T]:
    """An immutable class with the annotated fields, in slots; equal by value, and of the same hash then."""
    own = {
        name: (annotation, cls.__dict__.get(name, MISSING))
        for name, annotation in cls.__annotations__.items()
        if not str(annotation).startswith("ClassVar")
    }
    inherited = _inherited(cls)
    known = {**inherited, **own}
    content = {key: value for key, value in cls.__dict__.items() if key not in own and key not in _SKIPPED}
    if content.get("__hash__", MISSING) is None:  # Python's own addition to an __eq__
        del content["__hash__"]
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, {
        **_SHARED,
        **_by_value(known),
        **content,
        "__slots__": tuple(name for name in own if name not in inherited),
        "__match_args__": tuple(known),
        "__record_fields__": known,
        "__dataclass_fields__": _Fields(),
    })  # fmt: skip
    made.__qualname__ = cls.__qualname__
    if "__init__" not in content:
        made.__init__ = _compiled_init(made, known)
    return made  # type: ignore[no-any-return]


def _inherited(cls: type) -> _Known:
    known: _Known = {}
    for base in reversed(cls.__mro__[1:]):
        if "__dataclass_fields__" in base.__dict__ and "__record_fields__" not in base.__dict__:
            raise TypeError(
                f"{cls.__qualname__} is a record and cannot have the dataclass {base.__qualname__} as a base"
            )
        known |= base.__dict__.get("__record_fields__", {})
    return known


def _compiled_init(made: Any, known: _Known) -> Any:
    scope: dict[str, Any] = {"_MISSING": MISSING}
    arguments, lines = ["self"], ["pass"]
    for name, (_, given) in known.items():
        one: Field[Any] = given if isinstance(given, Field) else field(default=given)
        if one.kw_only is True:
            raise TypeError(f"field {name} of {made.__qualname__}: a record has no fields for keywords only")
        if not one.init:  # __post_init__ sets it
            continue
        scope[f"_set_{name}"], scope[f"_default_{name}"] = getattr(made, name).__set__, one.default
        value, optional = name, one.default is not MISSING
        if one.default_factory is not MISSING:
            scope[f"_make_{name}"] = one.default_factory
            value, optional = f"_make_{name}() if {name} is _MISSING else {name}", True
        arguments.append(f"{name}=_default_{name}" if optional else name)
        lines.append(f"_set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(arguments)}):\n " + "\n ".join(lines), scope)  # noqa: S102  # names of fields only
    compiled = scope["__init__"]
    compiled.__qualname__ = f"{made.__qualname__}.__init__"
    return compiled


def _by_value(known: _Known) -> dict[str, Callable[..., Any]]:
    compared = _values([name for name, (_, default) in known.items() if _counts(default)])
    hashed = _values([name for name, (_, default) in known.items() if _counts(default, for_hash=True)])

    def __eq__(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(hashed(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _counts(default: object, *, for_hash: bool = False) -> bool:
    if not isinstance(default, Field):
        return True
    return default.compare if default.hash is None or not for_hash else default.hash


def _values(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _repr(self: Any) -> str:
    shown = [
        f"{name}={getattr(self, name)!r}"
        for name, (_, default) in self.__record_fields__.items()
        if not isinstance(default, Field) or default.repr
    ]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_change(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__record_fields__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__record_fields__, state, strict=True):
        object.__setattr__(self, name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__repr__": _repr,
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_deletion,
    "__getstate__": _state,
    "__setstate__": _set_state,
}


class _Fields:
    """What the functions of `dataclasses` look for: those of a dataclass alike, made at the first look."""

    def __get__(self, _: object, owner: type) -> dict[str, Field[Any]]:
        known: _Known = owner.__dict__["__record_fields__"]
        fields = [
            (name, annotation, *(() if default is MISSING else (default,)))
            for name, (annotation, default) in known.items()
        ]
        twin: Any = make_dataclass(owner.__name__, fields, eq=False, repr=False)
        found: dict[str, Field[Any]] = twin.__dataclass_fields__
        owner.__dataclass_fields__ = found  # type: ignore[attr-defined]
        return found
