"""CEL itself: operators, macros, optionals, errors, and what runs away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.cel.contract import (
    DYN,
    Budget,
    CompileError,
    CostExceeded,
    EvaluationError,
    Lazy,
    compile_expression,
)

SELF = {
    "a": {"b": 1}, "l": [1, 2, 3], "m": {"a": 1, "b": 2}, "d": 1.0, "n": None, "s": "hello", "a.b": 2,
    "namespace": "ns", "big": 2**62,
}  # fmt: skip


def evaluate(source: str, **variables: Any) -> Any:
    values = {"self": SELF, **variables}
    return compile_expression(source, dict.fromkeys(values, DYN)).evaluate(values)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("self.a.b == 1", True),
        ("self.d == 1", True),
        ("self.a.b == true", False),
        ("1 + 2 * 3 - 4 / 2 % 3", 5),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("1.0 / 0.0 > 100.0", True),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("self.l[1]", 2),
        ("self['a.b']", 2),
        ("self.a__dot__b", 2),
        ("self.namespace + self.__namespace__", "nsns"),
        ("2 in self.l && 'a' in self.m && !('c' in self.m)", True),
        ("has(self.a.b) && !has(self.a.c)", True),
        ("self.n == null", True),
        ("self.a.b > 0 ? 'yes' : 'no'", "yes"),
        ("type(self) == map && type(1) == int && type(self.n) == null_type", True),
        ("size(self.s) + self.l.size()", 8),
        ("uint(3) + 4u", 7),
        ("string(1.5) + string(true) + string(2)", "1.5true2"),
        ("int('42') + int(3.9)", 45),
        ("bytes('hi') == b'hi'", True),
        ("dyn(1) == 1.0", True),
        ("{'a': dyn(1)} == {'a': dyn(1.0)}", True),
        ("[1, 2] == [1, 3]", False),
    ],
)
def test_operators(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("self.l.all(i, i > 0)", True),
        ("self.l.exists(i, i == 3)", True),
        ("self.l.exists_one(i, i == 2)", True),
        ("self.l.map(i, i * 2)", [2, 4, 6]),
        ("self.l.map(i, i > 1, i * 2)", [4, 6]),
        ("self.l.filter(i, i > 1)", [2, 3]),
        ("self.m.all(k, size(k) == 1)", True),
        ("self.m.map(k, k)", ["a", "b"]),
        ("self.l.map(i, self.l.map(j, i * j))", [[1, 2, 3], [2, 4, 6], [3, 6, 9]]),
        ("self.m.all(k, v, v > 0 && size(k) == 1)", True),
        ("self.l.all(i, v, v == i + 1)", True),
        ("self.l.exists(i, v, i == 2 && v == 3)", True),
        ("self.l.existsOne(i, v, v > i + 5)", False),
        ("self.l.transformList(i, v, i * v)", [0, 2, 6]),
        ("self.l.transformList(i, v, i > 0, v)", [2, 3]),
        ("self.m.transformMap(k, v, v + 1)", {"a": 2, "b": 3}),
        ("self.m.transformMap(k, v, k == 'a', v)", {"a": 1}),
        ("self.m.transformMapEntry(k, v, {string(v): k})", {"1": "a", "2": "b"}),
    ],
)
def test_macros(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("self.?missing.orValue(3)", 3),
        ("self.?a.b.orValue(3)", 1),
        ("self.?a.?c.hasValue()", False),
        ("self.l[?9].orValue(0)", 0),
        ("self.a[?'b'].optMap(x, x + 1).value()", 2),
        ("self.?missing.optMap(x, x + 1).orValue(9)", 9),
        ("self.?a.optFlatMap(x, x.?b).value()", 1),
        ("optional.none().or(optional.of(1)).value()", 1),
        ("optional.of(1).orValue(1 / 0)", 1),
        ("optional.ofNonZeroValue('').hasValue()", False),
        ("[?self.?missing, 1]", [1]),
        ("{'a': 1, ?'b': self.?missing}", {"a": 1}),
    ],
)
def test_optional_values(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("self.foo", "no such key: foo"),
        ("self.m['zz']", "no such key: zz"),
        ("self.a + 1", "no such overload"),
        ("self.s.startsWith(self.a)", "no such overload"),
        ("self.l[10]", "index out of bounds: 10"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("self.big * 4", "integer overflow"),
        ("self.s > self.l", "no such overload"),
        ("self.s && true", "no such overload"),
        ("optional.none().value()", "optional.none() dereference"),
        ("self.l.all(i, self.zz)", "no such key: zz"),
        ("self.l.map(i, self.zz)", "no such key: zz"),
    ],
)
def test_errors_of_evaluation(source: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message.replace("(", r"\(").replace(")", r"\)")):
        evaluate(source)


def test_logic_absorbs_errors() -> None:
    assert evaluate("self.zz || true") is True
    assert evaluate("true || self.zz") is True
    assert evaluate("self.zz && false") is False
    assert evaluate("self.l.exists(i, i > 'a' || i == 3)") is True
    assert evaluate("self.l.all(i, i < 3 && i > 'a')") is False
    with pytest.raises(EvaluationError, match="no such key: zz"):
        evaluate("self.zz || false")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("self.foo + ", "ERROR: <input>:1:12: Syntax error: mismatched input '<EOF>'"),
        ("y == 1", "ERROR: <input>:1:1: undeclared reference to 'y' (in container '')\n | y == 1\n | ^"),
        ("1 == 'a'", "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'"),
        ("[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"),
        ("'x'.matches('[')", "ERROR: <input>:1:13: invalid matches argument"),
        ("true &&\n duration('5x') > duration('1s')", "ERROR: <input>:2:11: invalid duration argument"),
        ("timestamp('tomorrow') == null", "invalid timestamp argument"),
        ("math.greatest(1, 2)", "undeclared reference to 'math'"),
        ("1 == y.a.b", "ERROR: <input>:1:6: undeclared reference to 'y' (in container '')\n | 1 == y.a.b\n | .....^"),
        ("variables.nope", "undefined field 'nope'"),
    ],
)
def test_errors_of_compilation(source: str, message: str) -> None:
    with pytest.raises(CompileError) as refused:
        compile_expression(source, {"self": DYN, "variables.there": DYN})
    assert message in str(refused.value)


def test_a_program_says_its_type_and_what_it_reads() -> None:
    program = compile_expression("self.a == 1 && variables.x", {"self": DYN, "object": DYN, "variables.x": DYN})
    assert str(program.result) == "bool"
    assert program.names == {"self", "variables.x"}
    assert str(compile_expression("['a'].map(x, size(x))", {}).result) == "list(int)"


def test_a_lazy_variable_is_computed_once_and_only_when_read() -> None:
    calls: list[int] = []
    program = compile_expression("self.on ? x + x : 0", {"self": DYN, "x": DYN})
    lazy = Lazy(lambda: calls.append(1) or 21)
    assert program.evaluate({"self": {"on": False}, "x": lazy}) == 0
    assert calls == []
    assert program.evaluate({"self": {"on": True}, "x": lazy}) == 42
    assert calls == [1]


def test_a_runaway_expression_is_stopped() -> None:
    program = compile_expression("self.all(x, self.all(y, self.all(z, x + y + z >= 0)))", {"self": DYN})
    with pytest.raises(CostExceeded, match="actual cost limit exceeded"):
        program.evaluate({"self": list(range(1000))})
    with pytest.raises(CostExceeded):
        evaluate("'a'" + ".replace('', 'aaaaaaaaaa')" * 10)
    with pytest.raises(CompileError, match="recursion"):
        compile_expression("(" * 200 + "1" + ")" * 200, {})


def test_a_budget_is_shared() -> None:
    budget = Budget(50)
    program = compile_expression("self.all(x, x > 0)", {"self": DYN})
    program.evaluate({"self": [1]}, budget)
    assert budget.left < 50
    with pytest.raises(CostExceeded, match="running out of cost budget"):
        program.evaluate({"self": [1] * 50}, budget)


def test_what_is_evaluated_is_not_changed() -> None:
    items = [3, 1, 2]
    program = compile_expression("self.filter(x, x > 1).map(x, x + 1)", {"self": DYN})
    assert program.evaluate({"self": items}) == [4, 3]
    assert items == [3, 1, 2]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_integers_behave_as_64_bits(left: int, right: int) -> None:
    program = compile_expression("self[0] + self[1]", {"self": DYN})
    if -(2**63) <= left + right < 2**63:
        assert program.evaluate({"self": [left, right]}) == left + right
    else:
        with pytest.raises(EvaluationError, match="integer overflow"):
            program.evaluate({"self": [left, right]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_equality_is_reflexive_symmetric_and_knows_types(left: Any, right: Any) -> None:
    program = compile_expression("[self[0] == self[0], self[0] == self[1], self[1] == self[0]]", {"self": DYN})
    same, one, other = program.evaluate({"self": [left, right]})
    assert same
    assert one == other
    assert one == (repr(left) == repr(right) or (isinstance(left, dict) and left == right)) or not one
