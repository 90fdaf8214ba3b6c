"""What a schema says about merging, compiled once per definition, with the walks that run at every write.

`added` gives the set of all that a value holds (it was not there before), `compare` what an update changed and what it
removed, `owned` what an apply asks for. A walk answers with the set below the value, NOTHING where there is none; the
empty set says that the value itself is the member. Source: structured-merge-diff `typed/compare.go`, `tofieldset.go`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from skerry.engine.schema.managed.elements import item, value
from skerry.engine.schema.managed.sets import MEMBER, SELF, Set, as_member

Found: TypeAlias = Set | None
NOTHING: Found = None
_MOST_KNOWN = 1000
ABSENT: Any = object()
"""In `Struct.zeros`: the field is not there unless somebody sets it."""


class Type:
    """A leaf: a scalar, or a list or object that is owned as a whole (atomic)."""

    __slots__ = ()

    def added(self, new: Any) -> Set:
        """The set of a value that was not there."""
        return MEMBER

    def compare(self, old: Any, new: Any) -> tuple[Found, Found]:
        """What changed or was added, and what was removed. Called with values that differ."""
        return MEMBER, NOTHING

    def owned(self, given: Any) -> Found:
        """The fields that whoever applies this value asks for."""
        return MEMBER


class Atomic(Type):
    """A list or object owned as a whole. `shape`: what its content is checked against."""

    __slots__ = ("shape",)

    def __init__(self, shape: Type) -> None:
        self.shape = shape


class Scalar(Type):
    """`name`: numeric, string, boolean, or untyped (any scalar)."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Fields(Type):
    """An object: its declared fields, and the type of the others (None: there may be none)."""

    __slots__ = ("declared", "flat", "lasting", "rest", "zeros")

    def __init__(self) -> None:
        self.declared: dict[str, tuple[str, Type]] = {}
        """By name: the path element and the type."""
        self.rest: Type | None = None
        self.flat = False
        """Whether it is a map of leaves."""
        self.lasting = True
        """Whether objects are never older than this schema: those of custom resources may be."""
        self.zeros: dict[str, Any] = {}
        """What Kubernetes' Go types hold in a field that nobody set, where that is not nothing."""

    def of(self, name: str) -> tuple[str, Type]:
        """The path element and the type of a field, known or not."""
        return self.declared.get(name) or (f"f:{name}", self.rest or LEAF)

    def added(self, new: Any) -> Set:
        if not new or type(new) is not dict:
            return MEMBER
        if self.flat:
            return {SELF: MEMBER} | {f"f:{name}": MEMBER for name in new}
        declared, rest = self.declared, self.rest or LEAF
        found: Set = {SELF: MEMBER}
        for name, content in new.items():
            known = declared.get(name)
            if known is None:
                found[f"f:{name}"] = rest.added(content)
            else:
                found[known[0]] = known[1].added(content)
        return found

    def compare(self, old: Any, new: Any) -> tuple[Found, Found]:
        if not old and not new:
            return MEMBER, NOTHING
        if not (old is None or type(old) is dict) or not (new is None or type(new) is dict):
            return _replaced(self, old, new)
        changed: Set = {}
        removed: Set = {}
        old, new = old or {}, new or {}
        for name, content in new.items():
            before = old.get(name, ABSENT)
            if before is not content and before != content:
                self.differ(name, before, content, changed, removed)
        if len(old) != len(new) or old.keys() - new.keys():
            for name, before in old.items():
                if name not in new:
                    self.differ(name, before, ABSENT, changed, removed)
        return changed or NOTHING, removed or NOTHING

    def differ(self, name: str, old: Any, new: Any, changed: Set, removed: Set) -> None:
        """Note the difference of one field, ABSENT where it is not there."""
        known = self.declared.get(name)
        key, kind = known if known is not None else (f"f:{name}", self.rest or LEAF)
        if self.zeros:
            zero = self.zeros.get(name, ABSENT)
            old, new = zero if old is ABSENT else old, zero if new is ABSENT else new
            if old is not ABSENT and old == new:
                return
        if old is ABSENT:
            changed[key] = kind.added(new)
        elif new is ABSENT:
            removed[key] = kind.added(old)
        else:
            _put(key, kind.compare(old, new), changed, removed)

    def owned(self, given: Any) -> Found:
        if not given or type(given) is not dict:
            return MEMBER
        found: Set = {}
        for name, content in given.items():
            key, kind = self.of(name)
            below = MEMBER if content is None else kind.owned(content)
            if name not in self.declared:
                below = as_member(below or MEMBER)
            if below is not NOTHING:
                found[key] = below
        return found or NOTHING


class List(Type):
    """A list whose items are told apart: by `keys` (objects), or by themselves (a set of scalars, `keys` empty)."""

    __slots__ = ("_known", "defaults", "items", "keys")

    def __init__(self, items: Type, keys: tuple[str, ...], defaults: dict[str, Any]) -> None:
        self.items = items
        self.keys = tuple(sorted(keys))
        self.defaults = defaults
        self._known: dict[Any, str] = {}
        """Path elements by value, where items have one key: conditions and containers have the same few for ever."""

    def element(self, content: Any) -> str:
        """The path element of an item. Raises ValueError for one that cannot be told apart."""
        if len(self.keys) == 1 and type(content) is dict and type(name := content.get(self.keys[0])) is str:
            known = self._known.get(name)
            if known is None:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                known = self._known[name] = item([(self.keys[0], name)])
            return known
        return self._element(content)

    def _element(self, content: Any) -> str:
        if not self.keys:
            if isinstance(content, dict | list) or content is None:
                raise ValueError(_unfit(content))
            return value(content)
        if type(content) is not dict:
            raise ValueError(
                "associative list with keys may not have a null element"
                if content is None
                else "associative list with keys may not have non-map elements"
            )
        found = [
            (key, content.get(key, self.defaults.get(key)))
            for key in self.keys
            if key in content or key in self.defaults
        ]
        if not found:
            omitted = " ".join(f'"{key}"' for key in self.keys)
            raise ValueError(
                f"associative list with keys has an element that omits all key fields [{omitted}] "
                "(and doesn't have default values for any key fields)"
            )
        return item(found)

    def index(self, contents: Any) -> dict[str, list[Any]]:
        """The items by path element; what cannot be told apart is left out."""
        found: dict[str, list[Any]] = {}
        for content in contents or ():
            try:
                found.setdefault(self.element(content), []).append(content)
            except ValueError:
                continue
        return found

    def added(self, new: Any) -> Set:
        if not new or type(new) is not list:
            return MEMBER
        found = {key: self._added(same) for key, same in self.index(new).items()}
        return {SELF: MEMBER, **found}

    def _added(self, same: list[Any]) -> Set:
        return self.items.added(same[0]) if len(same) == 1 else MEMBER

    def compare(self, old: Any, new: Any) -> tuple[Found, Found]:
        if not old and not new:
            return MEMBER, NOTHING
        if not (old is None or type(old) is list) or not (new is None or type(new) is list):
            return _replaced(self, old, new)
        changed: Set = {}
        removed: Set = {}
        before, after = self.index(old), self.index(new)
        for key, same in after.items():
            was = before.get(key)
            if was is None:
                changed[key] = self._added(same)
            elif was != same:
                self._compare(key, was, same, changed, removed)
        for key, was in before.items():
            if key not in after:
                removed[key] = self._added(was)
        return changed or NOTHING, removed or NOTHING

    def _compare(self, key: str, was: list[Any], same: list[Any], changed: Set, removed: Set) -> None:
        if len(was) == 1 and len(same) == 1:
            _put(key, self.items.compare(was[0], same[0]), changed, removed)
        elif len(was) > 1 and len(same) > 1:
            changed[key] = MEMBER
        elif len(was) > 1:
            changed[key], removed[key] = self.items.added(same[0]), MEMBER
        else:
            changed[key], removed[key] = MEMBER, self.items.added(was[0])

    def owned(self, given: Any) -> Found:
        if type(given) is not list:
            return MEMBER
        found = {
            key: as_member(self.items.owned(same[0]) or MEMBER) if len(same) == 1 else MEMBER
            for key, same in self.index(given).items()
        }
        return found or NOTHING


class Deduced(Type):
    """A value no schema describes: objects merge by field, lists and scalars are owned as a whole."""

    __slots__ = ()

    def added(self, new: Any) -> Set:
        return OPEN.added(new) if type(new) is dict else MEMBER

    def compare(self, old: Any, new: Any) -> tuple[Found, Found]:
        if type(old) is dict or type(new) is dict:
            return OPEN.compare(old, new)
        return MEMBER, NOTHING

    def owned(self, given: Any) -> Found:
        return OPEN.owned(given) if type(given) is dict else MEMBER


def _replaced(kind: Type, old: Any, new: Any) -> tuple[Found, Found]:
    """A value became one of another sort: it is changed, and what only one of the two had came or went."""
    gone = {key: below for key, below in kind.added(old).items() if key != SELF}
    return kind.added(new), gone or NOTHING


def _put(key: str, found: tuple[Found, Found], changed: Set, removed: Set) -> None:
    if found[0] is not NOTHING:
        changed[key] = found[0]
    if found[1] is not NOTHING:
        removed[key] = found[1]


def _unfit(content: Any) -> str:
    if content is None:
        return "associative list without keys has an element that's an explicit null"
    if isinstance(content, dict):
        return "associative list without keys has an element that's a map type"
    return "not supported: associative list with lists as elements"


LEAF = Type()
DEDUCED = Deduced()
OPEN = Fields()
OPEN.rest = DEDUCED
"""An object of which nothing is known."""
