"""The most an expression can cost, told from its checked tree and how large its variables' values can be.

Kubernetes refuses rules of a custom resource that could cost too much (`estimate`, called once for a rule). Source:
cel-go's `checker/cost.go`. Neighbours: `call_costs` has what calls cost, `schema_sizes` how large values are.
"""

from __future__ import annotations

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.call_costs import CallCost, cost_of_call
from skerry.engine.cel.contract import Structural
from skerry.engine.cel.functions import FUNCTIONS
from skerry.engine.cel.ranges import MOST, NOTHING, ONE, UNKNOWN, Range, exactly, total
from skerry.engine.cel.schema_sizes import element_of, most_elements, schema_at
from skerry.kube.records import record

_ACCUMULATORS = ("@result", "__result__")
_LIST, _MAP, _MESSAGE = exactly(10), exactly(30), exactly(40)
_SCALARS = ("bool", "int", "uint", "double")

Path = tuple[str, ...]


def estimate(checked: pb.Checked, variables: Structural) -> int:
    """The highest cost of evaluating once; all variables are of one schema (`self`, `oldSelf`)."""
    return Estimator(checked, variables).cost(checked.expr).most


@record
class _Entries:
    """The sizes of what a list or map made by the expression holds."""

    is_list: bool
    key: Range
    value: Range

    def union(self, other: _Entries | None) -> _Entries | None:
        return other and _Entries(self.is_list, self.key.union(other.key), self.value.union(other.value))


@record
class _Local:
    """A variable of a macro: where its value comes from, and its size where that is known."""

    path: Path
    size: Range | None
    entries: _Entries | None = None


class Estimator:
    """Walks a tree once, remembering sizes and paths by node."""

    def __init__(self, checked: pb.Checked, variables: Structural) -> None:
        self._types, self._references = checked.type_map, checked.reference_map
        self._of = variables
        self._paths: dict[int, Path] = {}
        self._locals: dict[str, list[_Local]] = {}
        self._sizes: dict[int, Range] = {}
        self._entries: dict[int, _Entries] = {}

    def cost(self, expr: pb.Expr) -> Range:
        """Of evaluating a node and all below."""
        kind = expr.WhichOneof("kind")
        cost: Range = getattr(self, f"_{kind}")(expr) if kind else NOTHING
        return cost

    def size(self, expr: pb.Expr) -> Range:
        """Elements, entries or characters; UNKNOWN where nothing says."""
        return self._size(expr) or UNKNOWN

    def entry_union(self, to: pb.Expr, one: pb.Expr, other: pb.Expr) -> None:
        """What a node holds is what either of two others holds."""
        first, second = self._entries_of(one), self._entries_of(other)
        if first is not None and (both := first.union(second)) is not None:
            self._entries[to.id] = both

    def element(self, expr: pb.Expr) -> tuple[str, Range]:
        """The type of a list's elements ("" when it is no list) and their size."""
        declared = self._types[expr.id] if expr.id in self._types else pb.Type()
        path = self._outer_path(expr)
        schema = schema_at(self._of, path) if path else None
        below = element_of(schema) if schema is not None and schema.get("type") == "array" else None
        if below is not None:
            return str(below.get("type", "")), Range(0, most_elements(below))
        if declared.WhichOneof("kind") != "list_type":
            return "", UNKNOWN
        element = declared.list_type.elem_type
        named = {5: "string", 6: "string"}.get(element.primitive, "other")
        return named if element.WhichOneof("kind") == "primitive" else "other", UNKNOWN

    def type_of(self, expr: pb.Expr) -> str:
        """The name of a node's own type, where it has one ("net.IP")."""
        declared = self._types[expr.id] if expr.id in self._types else pb.Type()
        return str(declared.message_type)

    # --- nodes

    def _constant(self, expr: pb.Expr) -> Range:
        return NOTHING

    def _ident(self, expr: pb.Expr) -> Range:
        name = expr.ident.name
        local = self._local(name)
        self._paths[expr.id] = (name,) if local is None else local.path
        return ONE

    def _select(self, expr: pb.Expr) -> Range:
        operand = expr.select.operand
        cost = self.cost(operand)
        if expr.select.test_only:
            return cost  # `has` itself costs nothing
        if self._container(operand) in ("map", "message"):
            cost = cost.plus(ONE)
        self._paths[expr.id] = (*self._path(operand), expr.select.field)
        return cost

    def _call(self, expr: pb.Expr) -> Range:
        call, target = expr.call, expr.call.target if expr.call.HasField("target") else None
        if call.function == "dyn":
            self._like(expr, call.args[0])
            return self.cost(call.args[0]).plus(ONE)
        costs = [self.cost(arg) for arg in call.args]
        function = call.function
        if target is not None and (named := f"{_dotted(target)}.{function}") in FUNCTIONS:
            function, target = named, None
        given = self.cost(target) if target is not None else NOTHING
        overloads = self._references[expr.id].overload_id if expr.id in self._references else ()
        result, size = Range(MOST, 0), None
        for overload in overloads or ("",):
            made = cost_of_call(CallCost(self, expr, function, overload, target, costs))
            result = result.union(made.cost)
            if made.size is not None:
                size = made.size if size is None else size.union(made.size)
            size = self._indexed(expr, overload, size)
        if size is not None:
            self._sizes[expr.id] = size
        return given.plus(result)

    def _indexed(self, expr: pb.Expr, overload: str, size: Range | None) -> Range | None:
        """Keep track of the path through an index."""
        if overload in ("index_list", "index_map") and expr.call.args:
            of = expr.call.args[0]
            entries = self._entries_of(of)
            self._paths[expr.id] = (*self._path(of), "@items" if overload == "index_list" else "@values")
            size = entries.value if entries is not None else None
        return self._size(expr) if size is None else size

    def _list(self, expr: pb.Expr) -> Range:
        elements = expr.list.elements
        cost = total([self.cost(each) for each in elements])
        self._entries[expr.id] = _Entries(True, ONE, _span([self.size(each) for each in elements]))
        return cost.plus(_LIST)

    def _struct(self, expr: pb.Expr) -> Range:
        entries = expr.struct.entries
        cost = total([self.cost(entry.value) for entry in entries])
        if expr.struct.message_name:
            return cost.plus(_MESSAGE)
        cost = cost.plus(total([self.cost(entry.map_key) for entry in entries]))
        keys, values = [self.size(entry.map_key) for entry in entries], [self.size(entry.value) for entry in entries]
        self._entries[expr.id] = _Entries(False, _span(keys), _span(values))
        return cost.plus(_MAP)

    def _comprehension(self, expr: pb.Expr) -> Range:
        it = expr.comprehension
        cost = self.cost(it.iter_range).plus(self.cost(it.accu_init))
        self._push(
            it.accu_var, _Local(self._path(it.accu_init), self._size(it.accu_init), self._entries_of(it.accu_init))
        )
        if _binds(it):
            cost = cost.plus(self.cost(it.result))
            self._locals[it.accu_var].pop()
            self._like(expr, it.result)
            return cost
        self._push_iterated(it)
        step = self.cost(it.loop_condition).plus(self.cost(it.loop_step))
        for name in filter(None, (it.iter_var, it.iter_var2)):
            self._locals[name].pop()
        cost = cost.plus(self.cost(it.result))
        self._locals[it.accu_var].pop()
        count = self.size(it.iter_range)
        self._note_result(expr, count)
        return cost.plus(count.times(step))

    def _note_result(self, expr: pb.Expr, count: Range) -> None:
        """How large what a macro makes is."""
        it = expr.comprehension
        kind = it.accu_init.WhichOneof("kind")
        if kind == "constant":
            size = self._size(it.accu_init)
            if size is not None:
                self._sizes[expr.id] = size
        elif kind in ("list", "struct"):
            self._sizes[expr.id] = count
            if (entries := self._entries_of(it.loop_step)) is not None:
                self._entries[expr.id] = entries

    # --- macros' variables

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _push_iterated(self, it: pb.Expr.Comprehension) -> None:
        entries, path = self._entries_of(it.iter_range), self._path(it.iter_range)
        is_list = entries.is_list if entries is not None else self._container(it.iter_range) == "list"
        key = _Local((*path, "@indices" if is_list else "@keys"), entries.key if entries else None)
        value = _Local((*path, "@items" if is_list else "@values"), entries.value if entries else None)
        if it.iter_var2:
            self._push(it.iter_var, key)
            self._push(it.iter_var2, value)
        else:
            self._push(it.iter_var, value if is_list else key)

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    # --- what is known of a node

    def _path(self, expr: pb.Expr) -> Path:
        """Through the variables' schema; () where a node is not reached that way."""
        if expr.WhichOneof("kind") == "ident" and (local := self._local(expr.ident.name)) is not None:
            return local.path
        return self._paths.get(expr.id, ())

    def _outer_path(self, expr: pb.Expr) -> Path:
        path = self._path(expr)
        return () if path and path[0] in _ACCUMULATORS else path

    def _container(self, expr: pb.Expr) -> str:
        """ "list", "map", "message", or another kind of type."""
        path = self._outer_path(expr)
        schema = schema_at(self._of, path) if path else None
        if schema is not None and schema.get("type") in ("array", "object"):
            is_map = isinstance(schema.get("additionalProperties"), dict)
            return "list" if schema["type"] == "array" else "map" if is_map else "message"
        kind = self._types[expr.id].WhichOneof("kind") if expr.id in self._types else None
        names = {"list_type": "list", "map_type": "map", "message_type": "message", "type_param": "map"}
        return names.get(kind or "", "other")

    def _size(self, expr: pb.Expr) -> Range | None:
        if (known := self._sizes.get(expr.id)) is not None:
            return known
        if (written := _written_size(expr)) is not None:
            return written
        path = self._path(expr)
        schema = schema_at(self._of, path) if path else None
        if schema is not None:
            self._sizes[expr.id] = found = Range(0, most_elements(schema))
            return found
        if self._is_scalar(expr):
            return ONE
        local = self._local(expr.ident.name) if expr.WhichOneof("kind") == "ident" else None
        return local.size if local is not None else None

    def _is_scalar(self, expr: pb.Expr) -> bool:
        declared = self._types[expr.id] if expr.id in self._types else pb.Type()
        if declared.WhichOneof("kind") == "abstract_type" and declared.abstract_type.name == "optional_type":
            declared = declared.abstract_type.parameter_types[0]
        if declared.WhichOneof("kind") == "primitive":
            return bool(1 <= declared.primitive <= len(_SCALARS))
        return declared.WhichOneof("kind") == "well_known" and declared.well_known > 1

    def _entries_of(self, expr: pb.Expr) -> _Entries | None:
        if (known := self._entries.get(expr.id)) is not None:
            return known
        local = self._local(expr.ident.name) if expr.WhichOneof("kind") == "ident" else None
        return local.entries if local is not None else None

    def _like(self, expr: pb.Expr, other: pb.Expr) -> None:
        """A node is as large as another."""
        if (size := self._size(other)) is not None:
            self._sizes[expr.id] = size
        if (entries := self._entries_of(other)) is not None:
            self._entries[expr.id] = entries


def _span(sizes: list[Range]) -> Range:
    result = Range(MOST, 0) if sizes else NOTHING
    for each in sizes:
        result = result.union(each)
    return result


def _written_size(expr: pb.Expr) -> Range | None:
    """Of what is written out in the expression."""
    kind = expr.WhichOneof("kind")
    if kind == "constant":
        value = expr.constant
        return exactly(len(value.string or value.bytes)) if value.WhichOneof("kind") in ("string", "bytes") else ONE
    if kind == "list":
        return exactly(len(expr.list.elements))
    return exactly(len(expr.struct.entries)) if kind == "struct" and not expr.struct.message_name else None


def _binds(it: pb.Expr.Comprehension) -> bool:
    """Whether this is no loop but a name for a value, as `optMap` makes one."""
    condition = it.loop_condition.constant
    empty = it.iter_range.WhichOneof("kind") == "list" and not it.iter_range.list.elements
    never = condition.WhichOneof("kind") == "boolean" and not condition.boolean
    return empty and never and it.accu_var != "@result"


def _dotted(expr: pb.Expr) -> str:
    if expr.WhichOneof("kind") == "select":
        return f"{_dotted(expr.select.operand)}.{expr.select.field}"
    return str(expr.ident.name)
