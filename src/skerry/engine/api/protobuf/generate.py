"""Make `fields.json` from a folder with checkouts of four Go modules of k8s.io: api, apimachinery,
apiextensions-apiserver and kube-aggregator, all of the release whose behaviour the engine has:

    python -m skerry.engine.api.protobuf.generate FOLDER

Read are the struct tags of the Go types: number, JSON name, inlining, and whether a zero is left out. The table holds
only the messages that can be reached from the kinds of the group versions below. Run it again for a newer Kubernetes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GROUP_VERSIONS = (
    "core/v1", "apps/v1", "batch/v1", "autoscaling/v1", "autoscaling/v2", "policy/v1", "networking/v1", "discovery/v1",
    "coordination/v1", "events/v1", "rbac/v1", "storage/v1", "scheduling/v1", "node/v1", "certificates/v1",
    "admissionregistration/v1", "authentication/v1", "authorization/v1", "flowcontrol/v1", "apiextensions/v1",
    "apiregistration/v1",
)  # fmt: skip
_ELSEWHERE = {"apiextensions/v1": "apiextensions-apiserver", "apiregistration/v1": "kube-aggregator"}
"""Group versions that are not part of k8s.io/api: their module."""
_ONE_OF = "JSONSchemaPropsOr"
"""Types whose JSON is that of one of their fields begin so."""
META = "meta/v1"
_SCALARS = {"string": "s", "bool": "b", "int32": "i", "int64": "i", "int": "i", "uint32": "i", "float64": "d"}
_SCALARS |= {"[]byte": "y", "byte": "i", "uint8": "i"}
_SPECIAL = {
    "resource.Quantity": "Q", "intstr.IntOrString": "I", "runtime.RawExtension": "R", "types.UID": "s",
    "types.NodeName": "s", "types.NamespacedName": "s", f"{META}.Time": "T", f"{META}.MicroTime": "U",
    f"{META}.FieldsV1": "F", f"{META}.Duration": "D",
    "apiextensions/v1.JSON": "R",
}  # fmt: skip
_FIELD = re.compile(r"^\t(?:(?P<name>\w+)\s+)?(?P<type>[\w.*\[\]]+)\s+`(?P<tags>[^`]*)`")
_IMPORT = re.compile(r'^(?:import)?\s*(?P<alias>\w+)?\s*"k8s\.io/(?:api|apimachinery/pkg/apis)/(?P<path>[\w/]+)"')
_TYPE = re.compile(r"^type (?P<name>\w+) (?P<type>.+?)(?P<open> \{)?$")


@dataclass(frozen=True)
class Field:
    """A field as the tags have it."""

    number: str
    name: str
    go_type: str
    keeps_zero: bool


class Package:
    """The types of one Go package."""

    def __init__(self, name: str, files: list[Path]) -> None:
        self.name = name
        self.structs: dict[str, list[Field]] = {}
        self.aliases: dict[str, str] = {}
        self.imports: dict[str, str] = {}
        for file in files:
            self._read(file.read_text().splitlines())

    def _read(self, lines: list[str]) -> None:
        inside: list[Field] | None = None
        for line in lines:
            if found := _IMPORT.match(line):
                path = found["path"]
                self.imports[found["alias"] or path.rpartition("/")[2]] = path
            elif found := _TYPE.match(line):
                inside = None
                if found["type"] == "struct" and found["open"]:
                    inside = self.structs.setdefault(found["name"], [])
                elif found["type"] == "struct{}":
                    self.structs[found["name"]] = []
                elif not found["open"]:
                    self.aliases[found["name"]] = found["type"].split("//")[0].strip()
            elif line == "}":
                inside = None
            elif inside is not None and (field := _field(line)):
                inside.append(field)


def _field(line: str) -> Field | None:
    found = _FIELD.match(line)
    if not found:
        return None
    tags = dict(re.findall(r'(\w+):"([^"]*)"', found["tags"]))
    if "protobuf" not in tags or tags["protobuf"] == "-":
        return None
    name, *options = (tags.get("json") or _protobuf_name(tags["protobuf"])).split(",")
    keeps = found["type"].startswith("*") or not {"omitempty", "omitzero"} & set(options)
    return Field(tags["protobuf"].split(",")[1], name, found["type"], keeps)


def _protobuf_name(tag: str) -> str:
    """The name a field has there, for types that write their JSON themselves."""
    return next((part.removeprefix("name=") for part in tag.split(",") if part.startswith("name=")), "")


class Table:
    """The messages reached so far: name to {number: [JSON name, type, keeps zero]}; an empty name is inlined."""

    def __init__(self, packages: dict[str, Package]) -> None:
        self._packages = packages
        self.messages: dict[str, dict[str, list[object]]] = {}

    def add(self, package: str, name: str) -> None:
        """Reach a message and all it holds."""
        key = f"{package}.{name}"
        if key in self.messages:
            return
        made = self.messages[key] = {}
        for field in self._packages[package].structs[name]:
            home = self._home(package, field.go_type)
            if home not in self._packages and field.go_type.rpartition("]")[2].lstrip("*") not in _SPECIAL:
                continue  # an alpha feature of a group version not served
            made[field.number] = [field.name, self._code(package, field.go_type.lstrip("*")), int(field.keeps_zero)]

    def _code(self, package: str, go_type: str) -> str:
        """The type's code: see `decode`."""
        if go_type in _SCALARS:
            return _SCALARS[go_type]
        if go_type.startswith("[]"):
            return "[]" + self._element(package, go_type[2:].lstrip("*"))
        if go_type.startswith("map["):
            return "{}" + self._element(package, go_type.partition("]")[2].lstrip("*"))
        if go_type in _SPECIAL:
            return _SPECIAL[go_type]
        home, name = self._resolve(package, go_type)
        if f"{home}.{name}" in _SPECIAL:
            return _SPECIAL[f"{home}.{name}"]
        alias = self._packages[home].aliases.get(name)
        if alias is not None:
            return self._code(home, alias)
        self.add(home, name)
        return f"O{home}.{name}" if name.startswith(_ONE_OF) else f"{home}.{name}"

    def _element(self, package: str, go_type: str) -> str:
        """An element's type; a list inside a list is a message with the items as its first field."""
        code = self._code(package, go_type)
        return f"E{code[2:]}" if code.startswith("[]") else code

    def _home(self, package: str, go_type: str) -> str:
        """The package of a field's innermost type."""
        alias, dot, _ = go_type.rpartition("]")[2].lstrip("*").rpartition(".")
        return self._packages[package].imports.get(alias, alias) if dot else package

    def _resolve(self, package: str, go_type: str) -> tuple[str, str]:
        alias, dot, name = go_type.rpartition(".")
        return (self._packages[package].imports[alias], name) if dot else (package, name)


def packages(modules: Path) -> dict[str, Package]:
    """All packages by the last two parts of their path."""
    found = {name: Package(name, sorted(_folder(modules, name).glob("*types*.go"))) for name in GROUP_VERSIONS}
    found[META] = Package(META, sorted((modules / "apimachinery/pkg/apis/meta/v1").glob("*types.go")))
    return found


def _folder(modules: Path, name: str) -> Path:
    return modules / _ELSEWHERE[name] / "pkg/apis" / name if name in _ELSEWHERE else modules / "api" / name


def roots(found: dict[str, Package]) -> Iterator[tuple[str, str]]:
    """What clients send and are sent: every struct with metadata of its own, DeleteOptions and Status, lists'
    metadata."""
    yield from ((META, name) for name in ("DeleteOptions", "ListMeta", "Status"))
    for name in GROUP_VERSIONS:
        for struct, fields in found[name].structs.items():
            if any(field.go_type == "metav1.ObjectMeta" for field in fields):
                yield name, struct


def main() -> None:
    """Write the table."""
    found = packages(Path(sys.argv[1]))
    table = Table(found)
    for package, struct in roots(found):
        table.add(package, struct)
    text = json.dumps(table.messages, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"')
    Path(__file__).with_name("fields.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
