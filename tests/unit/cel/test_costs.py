"""What expressions can cost at most: the figures Kubernetes' own tests of its estimates have (`TestCostEstimation`)."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.cel.contract import Structural, compile_estimated


def _cost(schema: Any, rule: str) -> int:
    kind = Structural(schema)
    return compile_estimated(rule, {"self": kind, "oldSelf": kind}, kind)[1]


def _limited(schema: Any, most: int | None) -> Any:
    """A schema whose values are as large as that at most."""
    names = {"array": "maxItems", "object": "maxProperties"}
    return schema if most is None else {**schema, names.get(schema.get("type", ""), "maxLength"): most}


def _plain(kind: str) -> Any:
    if kind in ("date", "date-time", "duration"):
        return {"type": "string", "format": kind}
    return {"x-kubernetes-int-or-string": True} if kind == "int-or-string" else {"type": kind}


def _array(kind: str) -> Any:
    return lambda most: _limited({"type": "array", "items": _plain(kind)}, most)


def _map(kind: str) -> Any:
    return lambda most: _limited({"type": "object", "additionalProperties": _plain(kind)}, most)


def _text(most: int | None) -> Any:
    return _limited({"type": "string"}, most)


def _texts(most: int | None) -> Any:
    return _limited({"type": "array", "items": _text(most)}, most)


def _arrays(most: int | None) -> Any:
    return _limited({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, most)


def _maps(most: int | None) -> Any:
    return _limited({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "number"}}}, most)


def _words(most: int | None) -> Any:
    return _limited({"type": "string", "enum": ["A", "B", "C", "LongValue"]}, most)


def _three(most: int | None) -> Any:
    texts = {"str": _text(most), "separator": _text(most), "before": _text(2), "after": _text(4)}
    return {"type": "object", "properties": texts}


def _quantity(most: int | None) -> Any:
    return _limited({"x-kubernetes-int-or-string": True}, most)


ALL = "self.all(x, true)"


@pytest.mark.parametrize(
    ("schema", "rule", "unlimited", "limit", "limited"),
    [
        (_array("number"), ALL, 4718591, 10, 32),
        (_array("string"), ALL, 3145727, 20, 62),
        (_array("boolean"), ALL, 1887437, 5, 17),
        (_array("duration"), ALL, 2359295, 5, 17),
        (_array("date"), ALL, 725936, 15, 47),
        (_array("date-time"), ALL, 428963, 25, 77),
        (_array("int-or-string"), ALL, 4718591, 10, 32),
        (_arrays, ALL, 3145727, 100, 302),
        (_map("number"), ALL, 1348169, 10, 32),
        (_map("string"), ALL, 1179647, 3, 11),
        (_map("boolean"), ALL, 943718, 100, 302),
        (_map("duration"), ALL, 1048577, 5, 17),
        (_map("date-time"), ALL, 349526, 25, 77),
        (_array("number"), "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826),
        (_array("number"), "self[1] == 0.0", 2, 5000, 2),
        (_array("string"), "self[1] == self[1]", 314577, 8, 314577),
        (_array("int-or-string"), "self[0] == 5", 3, 10, 3),
        (_array("duration"), "self[0].getHours() == 2", 4, 525, 4),
        (_arrays, "self[0][0] == -1.0", 3, 51, 3),
        (_maps, "self.all(x, x.y == 25.2)", 6291452, 12, 74),
        (_maps, "self[0].x > 2.0", 4, 3000, 4),
        (_map("number"), 'self["x"] == 0.0', 2, 0, 2),
        (_map("date-time"), 'self["a"] == self["b"]', 8, 7, 8),
        (_map("integer"), "oldSelf.size() == self.size()", 5, 10, 5),
        (_text, "self.contains('test')", 314574, 10, 5),
        (_text, "self.startsWith('test')", 2, 15, 2),
        (_text, 'size(self + "hello") > size("hello")', 314578, 4, 7),
        (_text, 'self.matches("x")', 314574, 50, 22),
        (_text, 'self.matches("")', 1, 100, 1),
        (_text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7),
        (_text, 'self == "x"', 2, 0, 1),
        (_text, "self.find('[0-9]+') == ''", 629147, 10, 11),
        (_text, "self.lowerAscii() == 'lower!'", 314575, 10, 6),
        (_texts, "self.join(' ') == 'aa bb'", 329853068905, 10, 43),
        (_texts, "self.isSorted() == true", 329854432052, 10, 52),
        (_three, "self.str.replace(self.before, self.after) == 'does not matter'", 629154, 4, 12),
        (_three, "self.str.split(self.separator) == []", 629160, 10, 22),
        (_words, "self.contains('A')", 2, 1000, 401),
        (_quantity, "isQuantity(self)", 314574, 20, 9),
    ],
)
def test_figures_of_kubernetes(schema: Any, rule: str, unlimited: int, limit: int, limited: int) -> None:
    assert _cost(schema(None), rule) == unlimited
    assert _cost(schema(limit), rule) == limited


@pytest.mark.parametrize(
    ("rule", "cost"),
    [("self.all(x, self.all(y, true))", 352), ("self.all(x, self.all(y, self.all(z, true)))", 3552)],
)
def test_loops_in_loops(rule: str, cost: int) -> None:
    assert _cost(_array("number")(10), rule) == cost
    assert _cost(_array("number")(None), rule) > 10_000_000


def test_macros_sets_and_optionals_have_a_bound() -> None:
    texts = _texts(10)
    mapped = _cost(texts, "self.map(x, x + 'a').filter(x, x != '').exists_one(x, x == 'b')")
    assert 100 < mapped < 10_000
    assert _cost(texts, "sets.contains(self, ['a', 'b'])") == 10 * 2 + 1 + 1 + 10
    assert _cost(texts, "self[?0].orValue('a') == 'b'") < 100
    assert _cost(_map("string")(10), "self.all(k, v, v != k)") < 10_000_000
    assert _cost(_texts(None), "self.all(x, cidr('10.0.0.0/8').containsIP(x))") > 10_000_000


def test_embedded_resources_and_escaped_names() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a-b": {"type": "array", "maxItems": 4, "items": {"type": "integer"}},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": True},
        },
    }
    assert _cost(schema, "self.a__dash__b.all(x, x > 0)") == 2 + 1 + 4 * (2 + 3)
    assert _cost(schema, "self.pod.kind == 'Pod'") == 3 + 1
