"""Patches whose result is none of the kind: 422 in the words of Kubernetes, which kubectl prints as they are."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.api import RunningApi
from tests.unit.api.raw_http import Answer, send

PATH = "/api/v1/namespaces/default/pods"
POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


async def patch(api: RunningApi, format_of: str, body: Any, query: str = "") -> Answer:
    made = await send(api, "POST", PATH, orjson.dumps(POD), content_type="application/json")
    assert made.code in (201, 409)
    media_type = f"application/{format_of}+json"
    return await send(api, "PATCH", f"{PATH}/a{query}", orjson.dumps(body), content_type=media_type)


@pytest.mark.parametrize(
    ("body", "shown", "why"),
    [
        ({"metadata": {"labels": "x"}}, "map[metadata:map[labels:x]]", "cannot restore map from string"),
        ({"spec": {"tolerations": 3}}, "map[spec:map[tolerations:3]]", "cannot restore slice from int64"),
        ({"spec": {"securityContext": [True]}}, "map[spec:map[securityContext:[true]]]", "struct from: slice"),
        (
            {"spec": {"activeDeadlineSeconds": "1"}},
            "map[spec:map[activeDeadlineSeconds:1]]",
            "unrecognized type: int64",
        ),
    ],
)
async def test_a_strategic_patch_with_wrong_types(api: RunningApi, body: Any, shown: str, why: str) -> None:
    answer = await patch(api, "strategic-merge-patch", body)
    assert answer.code == 422
    [cause] = answer.json["details"]["causes"]
    assert cause["field"] == "patch"
    assert cause["message"].startswith(f'Invalid value: "{shown}": ')
    assert cause["message"].endswith(why)
    assert answer.json["message"] == f' "" is invalid: patch: {cause["message"]}'


@pytest.mark.parametrize("format_of", ["merge-patch", "json-patch"])
async def test_other_patches_with_wrong_types_show_their_result(api: RunningApi, format_of: str) -> None:
    merge = {"metadata": {"labels": "x"}}
    body = merge if format_of == "merge-patch" else [{"op": "add", "path": "/metadata/labels", "value": "x"}]
    answer = await patch(api, format_of, body)
    assert answer.code == 422
    [cause] = answer.json["details"]["causes"]
    assert r"\"labels\":\"x\"" in cause["message"]
    assert "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels" in cause["message"]


@pytest.mark.parametrize("format_of", ["strategic-merge-patch", "merge-patch"])
async def test_unknown_fields_where_they_are_refused(api: RunningApi, format_of: str) -> None:
    answer = await patch(api, format_of, {"spec": {"colour": "red"}}, "?fieldValidation=Strict")
    assert answer.code == 422
    [cause] = answer.json["details"]["causes"]
    assert cause["message"].endswith('strict decoding error: unknown field "spec.colour"')
    assert "colour" in cause["message"].partition("strict")[0]
