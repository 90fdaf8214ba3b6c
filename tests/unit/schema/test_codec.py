"""Decoding: what is kept, converted, dropped and refused, in Kubernetes' words."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.schema import codec
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import BadRequest, StatusError, UnsupportedMediaType
from skerry.kube.objects import Obj, Resource, copy_of

from .objects import APPS, CORE, deployment

DEPLOYMENTS, PODS, CONFIG_MAPS, SECRETS = APPS["deployments"], CORE["pods"], CORE["configmaps"], CORE["secrets"]


def decode(kind: Kind, text: str, mode: codec.FieldValidation = "Strict") -> Obj:
    return codec.decode(kind, text.encode(), "application/json", mode)[0]


def refusal(kind: Kind, text: str, mode: codec.FieldValidation = "Strict") -> str:
    with pytest.raises(BadRequest) as caught:
        decode(kind, text, mode)
    return caught.value.message


def test_kind_and_version_follow_from_the_url() -> None:
    obj = decode(DEPLOYMENTS, "{}")
    assert obj == {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"spec":{"replicas":"3"}}',
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go '
            "struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            '{"spec":{"template":{"spec":{"containers":[{"name":7}]}}}}',
            'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go '
            "struct field Container.spec.template.spec.containers.name of type string",
        ),
        ('{"spec":{"replicas":3000000000}}', "cannot unmarshal number 3000000000 into Go struct field "),
        ('{"spec":{"replicas":1.5}}', "cannot unmarshal number 1.5 into Go struct field "),
        ('{"spec":{"paused":"yes"}}', "DeploymentSpec.spec.paused of type bool"),
        (
            '{"spec":{"template":{"spec":{"containers":{}}}}}',
            "PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        ('{"spec":[]}', "cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"),
        (
            '{"metadata":{"labels":{"a":1}}}',
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        ('{"metadata":{"labels":[]}}', "ObjectMeta.metadata.labels of type map[string]string"),
        ('{"metadata":{"creationTimestamp":"soon"}}', "cannot parse"),
        (
            '{"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"one"}}}]}}}}',
            "quantities must match the regular expression",
        ),
        ('{"spec":{"strategy":{"rollingUpdate":{"maxSurge":true}}}}', "cannot unmarshal bool"),
        ('{"kind":"Service","apiVersion":"v1"}', 'Service in version "v1" cannot be handled as a Deployment'),
        (
            '{"apiVersion":"apps/v2"}',
            "the API version in the data (apps/v2) does not match the expected API version (apps/v1)",
        ),
        ('{"kind":7}', "couldn't get version/kind"),
        ("[]", "the object provided is unrecognized (must be of type Deployment)"),
        ("null", "the object provided is unrecognized (must be of type Deployment)"),
        ("{", "couldn't get version/kind; json parse error"),
        ("", "couldn't get version/kind; json parse error"),
        ("\xff", "couldn't get version/kind; json parse error"),
        ("kind: Pod", "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind"),
        ("kind: Pod", "(6b696e643a20506f64)"),
        ('{"a":' * 200 + "1" + "}" * 200, "exceeded max depth"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "json parse error"),
    ],
)
def test_refused(text: str, message: str) -> None:
    assert message in refusal(DEPLOYMENTS, text)


def test_broken_base64_is_refused() -> None:
    assert "illegal base64 data at input byte 0" in refusal(SECRETS, '{"data":{"a":"!!"}}')


def test_unknown_fields() -> None:
    text = '{"spec":{"foo":1,"template":{"spec":{"containers":[{"name":"a","bar":null}]}}}}'
    wanted = ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[0].bar"']
    obj, warnings = codec.decode(DEPLOYMENTS, text.encode(), "application/json", "Warn")
    assert warnings == wanted
    assert obj["spec"] == {"template": {"spec": {"containers": [{"name": "a"}]}}}
    assert codec.decode(DEPLOYMENTS, text.encode(), "application/json", "Ignore") == (obj, [])
    assert f"strict decoding error: {', '.join(wanted)}" in refusal(DEPLOYMENTS, text)


@pytest.mark.parametrize("text", ['{"data":{"a":"1","a":"2"}}', '{ "data": {"a": "1"}, "data": {"a": "2"} }'])
def test_duplicate_fields(text: str) -> None:
    obj, warnings = codec.decode(CONFIG_MAPS, text.encode(), "application/json", "Warn")
    assert obj["data"] == {"a": "2"}
    assert [warning.startswith("duplicate field") for warning in warnings] == [True]
    assert "strict decoding error: duplicate field" in refusal(CONFIG_MAPS, text)


def test_nulls_mean_absent() -> None:
    metadata = '{"creationTimestamp":null,"labels":{"a":null}}'
    text = f'{{"metadata":{metadata},"spec":{{"replicas":null,"template":null}},"status":null}}'
    assert decode(DEPLOYMENTS, text) == {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"labels": {"a": ""}},
        "spec": {},
    }


def test_quantities_are_spelled_as_stored() -> None:
    text = '{"spec":{"containers":[{"resources":{"limits":{"cpu":0.5,"memory":"1024Mi","example.com/gpu":2}}}]}}'
    (container,) = decode(PODS, text)["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi", "example.com/gpu": "2"}


def test_free_form_fields_are_kept() -> None:
    text = '{"metadata":{"managedFields":[{"fieldsV1":{"f:x":{".":{}}}}]}}'
    assert decode(PODS, text)["metadata"]["managedFields"] == [{"fieldsV1": {"f:x": {".": {}}}}]


def test_check_of_a_parsed_object() -> None:
    obj, warnings = codec.check(DEPLOYMENTS, {"spec": {"replicas": 1, "x": 2}}, "Warn")
    assert (obj["spec"], warnings) == ({"replicas": 1}, ['unknown field "spec.x"'])


def test_kinds_without_a_schema_keep_everything_but_wrong_metadata() -> None:
    things = Kind(Resource("example.com", "v1", "things", "Thing"), "thing", "")
    assert decode(things, '{"spec":{"any":[1,null]},"status":null}')["spec"] == {"any": [1, None]}
    assert "ObjectMeta.metadata.name of type string" in refusal(things, '{"metadata":{"name":1}}')
    assert 'unknown field "metadata.nam"' in refusal(things, '{"metadata":{"nam":"x"}}')


def test_other_media_types_are_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="application/cbor"):
        codec.decode(PODS, b"", "application/cbor")
    assert codec.decode(PODS, b"{}", "application/json; charset=utf-8")[0]["kind"] == "Pod"


YAML = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: a, creationTimestamp: 2024-01-01T00:00:00Z}
data: &all
  80: "port"
  date: "2024-01-01"
binaryData: {}
"""


def test_yaml() -> None:
    obj, warnings = codec.decode(CONFIG_MAPS, YAML, "application/yaml", "Strict")
    assert obj["data"] == {"80": "port", "date": "2024-01-01"}
    assert obj["metadata"]["creationTimestamp"] == "2024-01-01T00:00:00Z"
    assert warnings == []


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join('*' + chr(97 + i) for _ in range(9))}]\n" for i in range(12)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a [*a]",
        "a: *missing",
        "a: [",
        "a: !!python/object:os.system {}",
        "? [1]\n: x",
        "a: .nan",
        "- x",
        "a: 99999999999999999999999",
        "{" * 3000,
        "a: 1\n---\na: 2",
        "a: !!binary aGk=",
        '"\\ud800": 1',
        "\x00",
    ],
)
def test_refused_yaml(text: str) -> None:
    with pytest.raises(BadRequest):
        codec.decode(CONFIG_MAPS, text.encode(), "application/yaml", "Strict")


def test_duplicates_in_yaml() -> None:
    with pytest.raises(BadRequest, match='line 1: key "a" already set in map'):
        codec.decode(CONFIG_MAPS, b"data: {a: x, a: y}", "application/yaml", "Strict")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=10,
)
PLACES = st.lists(
    st.sampled_from(["metadata", "spec", "template", "containers", "labels", "replicas", "strategy", 0]), max_size=6
)


@settings(max_examples=300)
@given(JSON, PLACES)
def test_garbage_anywhere_is_refused_or_becomes_clean(garbage: object, places: list[str | int]) -> None:
    obj = deployment()
    inside: object = obj
    for place in places:
        if isinstance(inside, dict) and isinstance(place, str):
            parent, inside = inside, inside.get(place)
            parent[place] = garbage if not isinstance(inside, dict | list) else inside
        elif isinstance(inside, list) and place == 0 and inside:
            inside = inside[0]
    if isinstance(inside, dict):
        inside["env"] = garbage
    try:
        once, _ = codec.check(DEPLOYMENTS, copy_of(obj))
    except StatusError:
        return
    twice, warnings = codec.check(DEPLOYMENTS, copy_of(once), "Strict")
    assert (twice, warnings) == (once, [])


@given(st.binary() | st.text().map(str.encode))
def test_garbage_bodies(body: bytes) -> None:
    for media_type in ("application/json", "application/yaml"):
        try:
            obj, _ = codec.decode(CONFIG_MAPS, body, media_type)
            orjson.dumps(obj)
        except StatusError:
            pass
