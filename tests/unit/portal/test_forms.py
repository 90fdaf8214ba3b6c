"""Forms from schemas: which inputs there are, and values from what was filled in."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from skerry.portal.apps.revisions import as_yaml
from skerry.portal.forms.fields import Field, fields_of, id_of, leaves, name_of
from skerry.portal.forms.reading import EXTRA, read, remaining, shown
from skerry.portal.web.submitted import Fields

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["image"],
    "$defs": {"size": {"type": "string", "title": "Size", "pattern": "^[0-9]+Gi$"}},
    "properties": {
        "image": {"type": "string"},
        "replicas": {"type": "integer", "minimum": 0, "maximum": 5},
        "ratio": {"type": ["number", "null"]},
        "access": {"enum": ["members", "owner"], "title": "Who"},
        "password": {"type": "string", "format": "password"},
        "storage": {
            "type": "object",
            "properties": {"enabled": {"type": "boolean"}, "size": {"$ref": "#/$defs/size"}},
        },
        "args": {"type": "array", "items": {"type": "string"}},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "nodePort": {"type": "integer", "x-skerry-advanced": True},
        "hosts": {"type": "array", "items": {"type": "object"}},
    },
}
DEFAULTS = {"image": "web:1", "replicas": 1, "access": "members", "storage": {"enabled": True, "size": "1Gi"}}


def _fields() -> dict[str, Field]:
    return {".".join(one.path): one for one in leaves(fields_of(SCHEMA, DEFAULTS))}


def test_inputs_are_what_the_schema_says() -> None:
    kinds = {path: one.kind for path, one in _fields().items()}
    assert kinds == {
        "image": "text", "replicas": "number", "ratio": "number", "access": "choice", "password": "secret",
        "storage.enabled": "tick", "storage.size": "text", "args": "list", "env": "pairs", "nodePort": "number",
        "hosts": "yaml",
    }  # fmt: skip
    fields = _fields()
    assert (fields["storage.size"].title, fields["nodePort"].title) == ("Size", "Node port")
    assert (fields["replicas"].whole, fields["ratio"].whole) == (True, False)
    assert (fields["nodePort"].advanced, fields["image"].required, fields["access"].options) == (
        True,
        True,
        ["members", "owner"],
    )


def test_only_what_differs_becomes_a_value() -> None:
    untouched = {one.name: shown(one, {}) for one in _fields().values() if one.kind != "tick"}
    as_it_was = Fields([*untouched.items(), ("v/storage/enabled", "off"), ("v/storage/enabled", "on")])
    assert read(fields_of(SCHEMA, DEFAULTS), as_it_was).values == {}
    changed = Fields(
        [
            ("v/replicas", "3"), ("v/ratio", "0.5"), ("v/access", "owner"), ("v/storage/enabled", "off"),
            ("v/args", "-x\r\n\r\n--fast\r\n"), ("v/env", "A=1\nB = two words"), ("v/hosts", "- {name: a}"),
            (EXTRA, "service: {type: NodePort}\nstorage: {size: 2Gi}"),
        ]
    )  # fmt: skip
    filled = read(fields_of(SCHEMA, DEFAULTS), changed)
    assert filled.problems == []
    assert filled.values == {
        "replicas": 3,
        "ratio": 0.5,
        "access": "owner",
        "storage": {"enabled": False, "size": "2Gi"},
        "args": ["-x", "--fast"],
        "env": {"A": "1", "B": "two words"},
        "hosts": [{"name": "a"}],
        "service": {"type": "NodePort"},
    }
    assert remaining(fields_of(SCHEMA, DEFAULTS), filled.values) == {"service": {"type": "NodePort"}}
    assert shown(_fields()["env"], filled.values) == "A=1\nB=two words"


def test_texts_of_several_lines_are_shown_as_people_write_them() -> None:
    """The pages of a site: not one quoted line with a gap between any two of the text's."""
    pages = {"index.html": "<!doctype html>\n<h1>Maps</h1>\n"}
    (field,) = fields_of({"properties": {"pages": {"type": "object"}}}, {"pages": pages})
    assert shown(field, {}) == "index.html: |\n  <!doctype html>\n  <h1>Maps</h1>\n"
    assert as_yaml(pages) == shown(field, {})


def test_what_cannot_be_read_is_said_at_its_field() -> None:
    bomb = "a: &a [x]\nb: [*a, *a]"
    submitted = Fields([("v/replicas", "many"), ("v/env", "nothing"), ("v/hosts", "[}"), (EXTRA, bomb)])
    filled = read(fields_of(SCHEMA, DEFAULTS), submitted)
    assert [one.path for one in filled.problems] == [("replicas",), ("env",), ("hosts",), (EXTRA,)]
    assert filled.problems[-1].values["why"] == "anchors and aliases (& and *) are not taken here"
    assert read([], Fields([(EXTRA, "- a")])).problems[0].text.startswith("Values have names")


def test_schemas_of_anybody_do_no_harm() -> None:
    endless: dict[str, Any] = {"properties": {"a": {"$ref": "#/properties/a"}, "b": {"$ref": "#"}}}
    assert len(list(leaves(fields_of(endless, {})))) < 1000
    for odd in ({"properties": []}, {"properties": {"a": 7}}, {"properties": {"a": {"enum": [[]]}}}, {"required": 1}):
        assert all(one.kind == "yaml" for one in leaves(fields_of(odd, {})))


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3), st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_inputs_of_two_paths_have_two_names(one: list[str], other: list[str]) -> None:
    if one != other:
        assert name_of(tuple(one)) != name_of(tuple(other))
    assert id_of(tuple(one)).isascii()
    assert not set(id_of(tuple(one))) & set(" \"'<>#.:/")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(TEXTS, st.integers(0, 9), st.booleans())
def test_what_is_shown_again_reads_as_it_was(image: str, replicas: int, enabled: bool) -> None:
    values = {"image": image.strip(), "replicas": replicas, "storage": {"enabled": enabled}}
    fields = _fields()
    pairs = [(fields[path].name, shown(fields[path], values)) for path in ("image", "replicas")]
    again = read(fields_of(SCHEMA, DEFAULTS), Fields([*pairs, ("v/storage/enabled", "on" if enabled else "off")]))
    merged = {**DEFAULTS, **again.values}
    assert (merged["image"], merged["replicas"]) == (image.strip(), replicas)
    assert again.values.get("storage", {}).get("enabled", True) is enabled
    assert yaml.safe_load(yaml.safe_dump(again.values)) == again.values


def test_a_schema_that_stands_for_millions_of_fields() -> None:
    """A chart is anybody's: one page of it must not keep everybody else waiting."""
    again = {"type": "object", "properties": {f"p{number}": {"$ref": "#/$defs/again"} for number in range(20)}}
    schema = {"$defs": {"again": again}, "properties": {"first": {"type": "string"}, **again["properties"]}}
    fields = fields_of(schema, {})
    assert fields[0].name == "v/first"
    assert 1 < len(list(leaves(fields))) <= 500
    values = {"p19": {"p0": 1}}
    assert remaining(fields, values) == values, "what has no field is among the other values"


def test_defaults_that_the_schema_does_not_speak_of_are_not_written_out() -> None:
    grown: list[Any] = ["x"]
    for _ in range(60):
        grown = [grown, grown]
    (text,) = fields_of({"properties": {"a": {"type": "string"}}}, {"a": grown})
    assert shown(text, {}) == ""


def test_what_may_be_a_text_or_a_number_is_an_input() -> None:
    schema = {"properties": {"cpu": {"type": ["string", "number"]}, "odd": {"type": ["string", "object"]}}}
    cpu, odd = fields_of(schema, {"cpu": "500m"})
    assert (cpu.kind, odd.kind) == ("text", "yaml")
    assert shown(cpu, {"cpu": 2}) == "2"
    assert read([cpu], Fields([(cpu.name, "2")])).values == {"cpu": "2"}


def test_what_the_api_cannot_take_is_said_at_its_field() -> None:
    for name, wrong in (
        ("v/replicas", "9" * 30), ("v/ratio", "nan"), ("v/ratio", "1e999"), ("v/hosts", "- {1: x}"),
        ("v/hosts", "[2026-01-01]"), ("v/hosts", "[" * 200_000), (EXTRA, "a: !!set {x}"), (EXTRA, "a: {1: 2}"),
    ):  # fmt: skip
        assert read(fields_of(SCHEMA, DEFAULTS), Fields([(name, wrong)])).problems, (name, wrong[:20])
