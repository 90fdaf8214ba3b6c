"""What the type checker is told of Kubernetes' own functions: the types they take and give.

An overload is "parameter types -> result"; a method's first parameter is its receiver, `A` stands for any type. Source:
k8s.io/apiserver `pkg/cel/library`. Neighbours: `functions` has the code, `environment` hands this to the library.
"""

from __future__ import annotations

from skerry.engine.cel.functions.formats import NAMES

_COMPARED = ("string", "int", "uint", "double", "bool", "bytes", "timestamp", "duration")
_SUMMED = ("int", "uint", "double", "duration")
_AUTHZ = "kubernetes.authorization."
AUTHORIZER, PATH, GROUP, RESOURCE, DECISION = (
    f"{_AUTHZ}{name}" for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
)
QUANTITY, URL, IP, CIDR, SEMVER, FORMAT = (
    "kubernetes.Quantity", "kubernetes.URL", "net.IP", "net.CIDR", "kubernetes.Semver", "kubernetes.NamedFormat",
)  # fmt: skip
OPAQUE = frozenset({AUTHORIZER, PATH, GROUP, RESOURCE, DECISION, QUANTITY, URL, IP, CIDR, SEMVER, FORMAT})
"""Types without fields, known to CEL by name only."""

FUNCTIONS: dict[str, list[str]] = {
    "quantity": [f"string -> {QUANTITY}"],
    "isQuantity": ["string -> bool"],
    "url": [f"string -> {URL}"],
    "isURL": ["string -> bool"],
    "ip": [f"string -> {IP}"],
    "isIP": ["string -> bool"],
    "ip.isCanonical": ["string -> bool"],
    "cidr": [f"string -> {CIDR}"],
    "isCIDR": ["string -> bool"],
    "semver": [f"string -> {SEMVER}", f"string bool -> {SEMVER}"],
    "isSemver": ["string -> bool", "string bool -> bool"],
    "format.named": [f"string -> optional_type<{FORMAT}>"],
    **{f"format.{name}": [f"-> {FORMAT}"] for name in NAMES},
    "jsonpatch.escapeKey": ["string -> string"],
    "string": [f"{IP} -> string", f"{CIDR} -> string"],
}

METHODS: dict[str, list[str]] = {
    "find": ["string string -> string"],
    "findAll": ["string string -> list<string>", "string string int -> list<string>"],
    "isSorted": [f"list<{kind}> -> bool" for kind in _COMPARED],
    "sum": [f"list<{kind}> -> {kind}" for kind in _SUMMED],
    "min": [f"list<{kind}> -> {kind}" for kind in _COMPARED],
    "max": [f"list<{kind}> -> {kind}" for kind in _COMPARED],
    "indexOf": ["list<A> A -> int"],
    "lastIndexOf": ["list<A> A -> int"],
    "sign": [f"{QUANTITY} -> int"],
    "isGreaterThan": [f"{QUANTITY} {QUANTITY} -> bool", f"{SEMVER} {SEMVER} -> bool"],
    "isLessThan": [f"{QUANTITY} {QUANTITY} -> bool", f"{SEMVER} {SEMVER} -> bool"],
    "compareTo": [f"{QUANTITY} {QUANTITY} -> int", f"{SEMVER} {SEMVER} -> int"],
    "add": [f"{QUANTITY} {QUANTITY} -> {QUANTITY}", f"{QUANTITY} int -> {QUANTITY}"],
    "sub": [f"{QUANTITY} {QUANTITY} -> {QUANTITY}", f"{QUANTITY} int -> {QUANTITY}"],
    "asInteger": [f"{QUANTITY} -> int"],
    "isInteger": [f"{QUANTITY} -> bool"],
    "asApproximateFloat": [f"{QUANTITY} -> double"],
    "major": [f"{SEMVER} -> int"],
    "minor": [f"{SEMVER} -> int"],
    "patch": [f"{SEMVER} -> int"],
    **{f"get{part}": [f"{URL} -> string"] for part in ("Scheme", "Host", "Hostname", "Port", "EscapedPath")},
    "getQuery": [f"{URL} -> map<string,list<string>>"],
    "family": [f"{IP} -> int"],
    **{
        f"is{what}": [f"{IP} -> bool"]
        for what in ("Unspecified", "Loopback", "LinkLocalMulticast", "LinkLocalUnicast", "GlobalUnicast")
    },
    "containsIP": [f"{CIDR} {IP} -> bool", f"{CIDR} string -> bool"],
    "containsCIDR": [f"{CIDR} {CIDR} -> bool", f"{CIDR} string -> bool"],
    "ip": [f"{CIDR} -> {IP}"],
    "masked": [f"{CIDR} -> {CIDR}"],
    "prefixLength": [f"{CIDR} -> int"],
    "validate": [f"{FORMAT} string -> optional_type<list<string>>"],
    "path": [f"{AUTHORIZER} string -> {PATH}"],
    "group": [f"{AUTHORIZER} string -> {GROUP}"],
    "serviceAccount": [f"{AUTHORIZER} string string -> {AUTHORIZER}"],
    "resource": [f"{GROUP} string -> {RESOURCE}"],
    **{
        what: [f"{RESOURCE} string -> {RESOURCE}"]
        for what in ("subresource", "namespace", "name", "fieldSelector", "labelSelector")
    },
    "check": [f"{PATH} string -> {DECISION}", f"{RESOURCE} string -> {DECISION}"],
    "allowed": [f"{DECISION} -> bool"],
    "errored": [f"{DECISION} -> bool"],
    "reason": [f"{DECISION} -> string"],
    "error": [f"{DECISION} -> string"],
}
