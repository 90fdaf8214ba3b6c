"""Records behave as the dataclasses whose place they take, and cost less."""

from __future__ import annotations

import builtins
import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from skerry.kube.records import record

T = TypeVar("T")


@record
class Point:
    """Somewhere."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list, hash=False)
    secret: str = field(default="", repr=False, compare=False)
    COUNT: ClassVar[int] = 7

    @property
    def sum(self) -> int:
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Model:
    """What the standard library makes of the same."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list, hash=False)
    secret: str = field(default="", repr=False, compare=False)
    COUNT: ClassVar[int] = 7


@record
class Named(Point):
    name: str = "n"
    length: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")
        object.__setattr__(self, "length", len(self.name))


@record
class Box(Generic[T]):
    content: T


@record
class Loud:
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loud) and other.text.upper() == self.text.upper()

    def __repr__(self) -> str:
        return "loud"


@record
class Nothing:
    """No fields."""


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 3), {}),
    ((1,), {"names": ["a"]}),
    ((1,), {"secret": "s", "y": 5}),
    ((), {"x": 1}),
]


@pytest.mark.parametrize(("words", "named"), ARGUMENTS)
def test_they_are_what_the_dataclass_is(words: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, theirs = Point(*words, **named), Model(*words, **named)
    assert repr(ours) == repr(theirs).replace("Model", "Point")
    assert asdict(ours) == asdict(theirs)  # type: ignore[call-overload]
    assert hash(ours) == hash(theirs)
    assert ours == Point(*words, **named)
    assert ours == Point(ours.x, ours.y, ours.names, "another secret")
    assert ours != Point(99)
    assert ours != theirs
    assert (ours.sum, Point.COUNT, Point.__doc__) == (ours.x + ours.y, 7, "Somewhere.")


@pytest.mark.parametrize(("words", "named"), [((), {}), ((1, 2, [], "", 5), {}), ((1,), {"z": 1})])
def test_wrong_arguments_are_refused_in_the_same_words(words: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as theirs:
        Model(*words, **named)
    with pytest.raises(TypeError) as ours:
        Point(*words, **named)
    assert str(ours.value) == str(theirs.value).replace("Model", "Point")


def test_nobody_changes_them() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    with pytest.raises(FrozenInstanceError):
        point.other = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_defaults_are_made_anew() -> None:
    assert Point(1).names is not Point(1).names


def test_copies_and_changed_ones() -> None:
    point = Point(1, names=["a"])
    assert replace(point, x=5) == Point(5, names=["a"])
    assert is_dataclass(Point)
    assert [one.name for one in fields(Point)] == ["x", "y", "names", "secret"]  # type: ignore[arg-type]
    for copied in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert copied == point
    assert copy.deepcopy(point).names is not point.names
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_they_inherit() -> None:
    named = Named(1, name="a")
    assert repr(named) == "Named(x=1, y=2, names=[], name='a', length=1)"
    assert (named.sum, replace(named, x=2).sum) == (3, 4)
    assert Named(1) != Point(1)
    assert [one.name for one in fields(Named)] == ["x", "y", "names", "secret", "name", "length"]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no name"):
        Named(1, name="")


def test_generic_ones_and_empty_ones_and_methods_of_their_own() -> None:
    assert Box[int](3) == Box(3)
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert Loud("a") == Loud("A")
    assert repr(Loud("a")) == "loud"
    assert hash(Loud("a")) == hash(Loud("a"))


def test_what_is_not_supported_is_refused() -> None:
    with pytest.raises(TypeError, match="no fields for keywords only"):

        @record
        class Late:
            x: int = field(kw_only=True)

    with pytest.raises(TypeError, match="cannot have the dataclass"):

        @record
        class Mixed(Model):
            z: int = 1


def test_what_their_cost_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """One method is compiled, not one by one what the standard library writes; and slots are set without a call of
    `object.__setattr__`. What that takes shows `make bench`."""
    compiled: list[str] = []
    execute = builtins.exec

    def counting(text: str, *scopes: Any) -> None:
        compiled.append(text)
        execute(text, *scopes)

    monkeypatch.setattr(builtins, "exec", counting)

    @record
    class Three:
        a: int
        b: str
        c: bool

    assert len(compiled) == 1
    assert Three.__init__.__code__.co_names == ("_set_a", "_set_b", "_set_c")
