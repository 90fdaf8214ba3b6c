"""Label selectors: as strings in queries (`a=b,c in (d,e),!f`) and as `LabelSelector` objects in specs.

Source: k8s.io/apimachinery `pkg/labels` and `metav1.LabelSelectorAsSelector`. A selector is a tuple of requirements,
all of which must hold; the empty selector matches everything. Note that Kubernetes reads a *missing* LabelSelector
(None) as "nothing": callers decide that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.kube.records import record

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_DNS = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_KEY = re.compile(rf"(?:(?P<prefix>{_DNS}(?:\.{_DNS})*)/)?(?P<name>{_NAME})")
_VALUE = re.compile(rf"(?:{_NAME})?")
_LONGEST_VALUE = 63
_LONGEST_KEY = 253 + 1 + 63
_INTEGER = re.compile(r"[+-]?[0-9]+")
_TOKEN = re.compile(r"\s*(?:(?P<op>==|!=|=|!|>|<|\(|\)|,)|(?P<word>[^\s=!<>(),]+))")
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


class SelectorError(ValueError):
    """A selector that Kubernetes would refuse."""


@record
class Requirement:
    """One condition on a label. operator: "in", "notin", "exists", "!", "gt", "lt"."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_key(self.key)
        if self.operator in ("in", "notin") and not self.values:
            raise SelectorError(f"for 'in', 'notin' operators, values set can't be empty (key {self.key!r})")
        if self.operator in ("exists", "!") and self.values:
            raise SelectorError(f"values set must be empty for exists and does not exist (key {self.key!r})")
        if self.operator in ("gt", "lt") and not (len(self.values) == 1 and _integer(next(iter(self.values)))):
            raise SelectorError(f"for 'Gt', 'Lt' operators, exactly one integer is required (key {self.key!r})")
        for value in self.values:
            check_value(value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet this condition."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value in self.values
        if self.operator == "notin":
            return value is None or value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "!":
            return value is None
        if value is None or not _integer(value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == "gt" else int(value) < bound


@record
class Selector:
    """Requirements that must all hold."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels are selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def check_key(key: str) -> None:
    """Raise SelectorError unless `key` is a legal label key (optional DNS prefix, name of at most 63 characters)."""
    match = _KEY.fullmatch(key) if len(key) <= _LONGEST_KEY else None
    if match is None or len(match["name"]) > 63 or len(match["prefix"] or "") > 253:
        raise SelectorError(f"invalid label key {key!r}")


def check_value(value: str) -> None:
    """Raise SelectorError unless `value` is a legal label value (at most 63 characters)."""
    if len(value) > _LONGEST_VALUE or not _VALUE.fullmatch(value):
        raise SelectorError(f"invalid label value {value!r}")


def parse_selector(text: str) -> Selector:
    """The selector a query string holds. Raises SelectorError."""
    return Selector(tuple(_Parser(text).requirements()))


def selector_of(spec: Obj | None) -> Selector:
    """The selector of a `LabelSelector` object ({} selects everything). Raises SelectorError."""
    spec = spec or {}
    found = [Requirement(key, "in", frozenset({value})) for key, value in (spec.get("matchLabels") or {}).items()]
    for expression in spec.get("matchExpressions") or ():
        operator = _OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise SelectorError(f"{expression.get('operator')!r} is not a valid label selector operator")
        found.append(Requirement(expression.get("key", ""), operator, frozenset(expression.get("values") or ())))
    return Selector(tuple(found))


def _integer(text: str) -> bool:
    """Whether Go's strconv.ParseInt reads it: decimal, within 64 bits. No longer than labels are: Python reads no
    number of thousands of digits."""
    return len(text) <= _LONGEST_VALUE and bool(_INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = self._split(text)
        self._at = 0

    @staticmethod
    def _split(text: str) -> list[str]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise SelectorError(f"unable to parse requirement in {text!r}")
            tokens.append(match["op"] or match["word"])
            at = match.end()
        return tokens

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._peek():
            found.append(self._requirement())
            if self._peek():
                self._expect(",")
                if not self._peek():
                    raise SelectorError("found '', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._next()
            return Requirement(self._word(), "!")
        key = self._word()
        operator = self._peek()
        if operator in ("", ","):
            return Requirement(key, "exists")
        self._next()
        if operator in ("=", "=="):
            return Requirement(key, "in", frozenset({self._optional_word()}))
        if operator == "!=":
            return Requirement(key, "notin", frozenset({self._optional_word()}))
        if operator in (">", "<"):
            return Requirement(key, "gt" if operator == ">" else "lt", frozenset({self._word()}))
        if operator in ("in", "notin"):
            return Requirement(key, operator, self._values())
        raise SelectorError(f"found {operator!r}, expected: in, notin, =, ==, !=, gt, lt")

    def _values(self) -> frozenset[str]:
        self._expect("(")
        values = {self._optional_word()}
        while self._peek() == ",":
            self._next()
            values.add(self._optional_word())
        self._expect(")")
        return frozenset(values)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _word(self) -> str:
        token = self._next()
        if not token or not re.match(r"[^\s=!<>(),]", token):
            raise SelectorError(f"found {token!r}, expected: identifier")
        return token

    def _optional_word(self) -> str:
        return self._next() if self._peek() not in (",", ")", "") else ""

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise SelectorError(f"found {found!r}, expected: {token!r}")
