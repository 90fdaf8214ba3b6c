"""What a call of a function or operator can cost, and how large its result can be.

Source: cel-go's `checker/cost.go` (`functionCost`), k8s.io/apiserver `pkg/cel/library/cost.go` (`EstimateCallCost`).
The figures decide which definitions are accepted: they are those of Kubernetes, not of this interpreter. Neighbour:
`estimate`, which walks the tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.ranges import MOST, NOTHING, ONE, PATTERN, TRAVERSAL, Range, total
from skerry.kube.records import record


class Sizes(Protocol):
    """What is known of nodes (`estimate.Estimator`)."""

    def size(self, expr: pb.Expr) -> Range:
        """Elements, entries or characters."""
        ...

    def element(self, expr: pb.Expr) -> tuple[str, Range]:
        """Of a list: the type of its elements and their size."""
        ...

    def type_of(self, expr: pb.Expr) -> str:
        """A type's own name, "" if it has none."""
        ...

    def entry_union(self, to: pb.Expr, one: pb.Expr, other: pb.Expr) -> None:
        """Note that a node holds what two others hold."""
        ...


@record
class CallCost:
    """A call looked at. `costs`: of its arguments, in order."""

    sizes: Sizes
    expr: pb.Expr
    function: str
    overload: str
    target: pb.Expr | None
    costs: list[Range]

    @property
    def args(self) -> list[pb.Expr]:
        """The arguments."""
        return list(self.expr.call.args)

    def size(self, index: int = 0) -> Range:
        """An argument's; -1 for the receiver's."""
        return self.sizes.size(self.target if index < 0 and self.target is not None else self.args[index])


class Made(NamedTuple):
    """What a call costs; `size` of its result, None when nothing can be said."""

    cost: Range
    size: Range | None = None


def cost_of_call(call: CallCost) -> Made:
    """The call's own cost and that of its arguments, for one overload."""
    special = _OVERLOADS.get(call.overload)
    if special is not None and (made := special(call)) is not None:
        return made
    named = _NAMED.get(call.function)
    own = (named(call) if named is not None else None) or Made(ONE)
    return Made(own.cost.plus(total(call.costs)), own.size)


_Rule = Callable[[CallCost], Made | None]

# --- operators and standard functions, by overload: they say what their arguments' costs mean


def _either(call: CallCost) -> Made:
    left, right = call.costs
    return Made(Range(left.least, left.plus(right).most))


def _conditional(call: CallCost) -> Made:
    condition, yes, no = call.costs
    args = call.args
    call.sizes.entry_union(call.expr, args[1], args[2])
    return Made(condition.plus(yes.union(no)), call.size(1).union(call.size(2)))


def _compared(call: CallCost) -> Made:
    if _is_cheap(call):
        return Made(ONE.plus(total(call.costs)))
    shorter = min(call.size(0).most, call.size(1).most)
    return Made(Range(1 if shorter else 0, shorter).scaled(TRAVERSAL).plus(total(call.costs)))


_CHEAP = ("net.", "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.authorization.")


def _is_cheap(call: CallCost) -> bool:
    left, right = (call.sizes.type_of(each) for each in call.args)
    return call.function == "_==_" and left == right and left.startswith(_CHEAP)


def _joined(call: CallCost) -> Made:
    args, size = call.args, call.size(0).plus(call.size(1))
    call.sizes.entry_union(call.expr, args[0], args[1])
    own = ONE if call.overload == "add_list" else size.scaled(TRAVERSAL)
    return Made(own.plus(total(call.costs)), size)


def _prefix(call: CallCost) -> Made:
    return Made(call.size().scaled(TRAVERSAL).plus(total(call.costs)))


def _in_list(call: CallCost) -> Made:
    return Made(call.size(1).plus(total(call.costs)))


def _matches(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    cost = call.size(-1).plus(ONE).scaled(TRAVERSAL).times(call.size().scaled(PATTERN))
    return Made(cost.plus(total(call.costs)))


def _contains(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    cost = call.size(-1).scaled(TRAVERSAL).times(call.size().scaled(TRAVERSAL))
    return Made(cost.plus(total(call.costs)))


def _to_bytes(call: CallCost) -> Made:
    size = call.size()
    return Made(size.scaled(TRAVERSAL).plus(total(call.costs)), Range(size.least, min(size.most * 4, MOST)))


def _to_text(call: CallCost) -> Made:
    size = call.size()
    return Made(size.scaled(TRAVERSAL).plus(total(call.costs)), Range(size.least // 4, size.most))


def _formatted(call: CallCost) -> Made | None:
    return None if call.target is None else Made(call.size(-1).scaled(TRAVERSAL).plus(total(call.costs)))


def _sets(factor: int) -> _Rule:
    def cost(call: CallCost) -> Made:
        return Made(call.size(0).times(call.size(1)).scaled(factor).plus(ONE).plus(total(call.costs)))

    return cost


_ORDERED = [
    f"{what}_{of}" for what in ("less", "greater", "less_equals", "greater_equals") for of in ("string", "bytes")
]
_OVERLOADS: dict[str, _Rule] = {
    "logical_or": _either,
    "logical_and": _either,
    "conditional": _conditional,
    **dict.fromkeys(("equals", "not_equals", *_ORDERED), _compared),
    **dict.fromkeys(("add_string", "add_bytes", "add_list"), _joined),
    **dict.fromkeys(("starts_with_string", "ends_with_string"), _prefix),
    "in_list": _in_list,
    "matches_string": _matches,
    "contains_string": _contains,
    "string_to_bytes": _to_bytes,
    "bytes_to_string": _to_text,
    "string_format": _formatted,
    "list_sets_contains_list": _sets(1),
    "list_sets_intersects_list": _sets(1),
    "list_sets_equivalent_list": _sets(2),
}

# --- Kubernetes' own functions, by name: their arguments' costs are added by the caller. Those that ask for access are
# not among them: rules of custom resources do not have them.


def _one(call: CallCost) -> Made:
    return Made(ONE)


def _each_element(call: CallCost) -> Made | None:
    """One for every element, and more for those that are texts."""
    if call.target is None:
        return None
    size, (kind, element) = call.size(-1), call.sizes.element(call.target)
    if not kind:
        return Made(size.scaled(TRAVERSAL))
    return Made(size.times(ONE.plus(element.scaled(TRAVERSAL)) if kind == "string" else ONE))


def _read(call: CallCost) -> Made:
    """The argument is parsed."""
    return Made(call.size().scaled(TRAVERSAL))


def _read_whole(call: CallCost) -> Made:
    size = call.size()
    return Made(size.scaled(TRAVERSAL), size)


def _rewritten(call: CallCost) -> Made | None:
    """The receiver with other characters."""
    if call.target is None:
        return None
    size = call.size(-1)
    return Made(size.scaled(TRAVERSAL), size)


def _replaced(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    size, old, new = call.size(-1), call.size(0), call.size(1)
    most, kept_most = _replacements(size.most, old.least, new.most <= old.least)
    least, kept_least = _replacements(size.least, old.most, old.most <= new.least)
    made = Range(least, most).times(new).plus(Range(kept_least, kept_most))
    return Made(size.scaled(2 * TRAVERSAL), made)


def _replacements(size: int, old: int, harmless: bool) -> tuple[int, int]:
    """How many replacements there are and how much of the text stays. `harmless`: they do not move the bound."""
    if old == 0:
        return min(size + 1, MOST), size
    if harmless:
        return 0, size
    return math.ceil(float(size) / old), 0


def _split(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    size, args = call.size(-1), call.args
    limited = len(args) > 1 and args[1].constant.WhichOneof("kind") == "int"
    most = args[1].constant.int & MOST if limited else size.most
    return Made(size.scaled(2 * TRAVERSAL), Range(0, most))


def _join(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    count, (kind, element) = call.size(-1), call.sizes.element(call.target)
    size = count.times(element) if kind else NOTHING
    if call.args:
        between = Range(max(count.least - 1, 0), max(count.most - 1, 0))
        size = size.plus(call.size().times(between))
    return Made(size.scaled(TRAVERSAL), size)


def _find(call: CallCost) -> Made | None:
    if call.target is None:
        return None
    size = call.size(-1)
    cost = size.plus(ONE).scaled(TRAVERSAL).times(call.size().scaled(PATTERN))
    return Made(cost, Range(0, size.most))


_ADDRESS = Range(4, 16)
"""Bytes of an address."""


def _contained(call: CallCost) -> Made:
    """Addresses compared; a text is read first."""
    cost = _ADDRESS.plus(_ADDRESS).scaled(TRAVERSAL)
    if call.function == "containsCIDR":
        cost = cost.plus(_ADDRESS.scaled(TRAVERSAL)).plus(ONE)
    return Made(cost if call.sizes.type_of(call.args[0]) else cost.plus(call.size().scaled(TRAVERSAL)))


def _address(call: CallCost) -> Made:
    return Made(ONE) if call.target is not None else _read(call)


def _validated(call: CallCost) -> Made:
    return Made(call.size().scaled(TRAVERSAL).scaled(128 * PATTERN))


_NOMINAL = (
    "masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast",
    "isGlobalUnicast", "format.named", "sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan",
    "isLessThan", "compareTo", "add", "sub", "major", "minor", "patch", "getScheme", "getHostname", "getHost",
    "getPort", "getEscapedPath", "getQuery",
)  # fmt: skip
_NAMED: dict[str, _Rule] = {
    **dict.fromkeys(_NOMINAL, _one),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"), _each_element),
    **dict.fromkeys(("url", "jsonpatch.escapeKey"), _read_whole),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _rewritten),
    "replace": _replaced,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("find", "findAll"), _find),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _read),
    "ip": _address,
    "ip.isCanonical": lambda call: Made(call.size().scaled(2 * TRAVERSAL)),
    **dict.fromkeys(("containsIP", "containsCIDR"), _contained),
    "validate": _validated,
}
