"""The API fuzzed from its own OpenAPI documents by schemathesis: every operation of every group, over TLS.

Half of the requests name objects that exist, so that they get past the first 404.
"""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis

from skerry.engine.schema.registry import builtin
from tests.component.fuzz.victim import EXAMPLES, FUZZ, Victim
from tests.support.samples import SAMPLES, sample

GROUPS = sorted({(kind.resource.group, kind.resource.version) for kind in builtin().kinds()})
pytestmark = [
    pytest.mark.timeout(300 + 60 * EXAMPLES),
    # The server's thread draws random numbers while examples are made; Hypothesis takes them for the strategy's own.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def samples(victim: Victim) -> None:
    """One object of every kind, named as the requests name it."""
    for kind in builtin().kinds():
        if kind.resource.group_resource in SAMPLES and kind.storage_group is None and kind.conversion is None:
            path = kind.resource.path("default" if kind.resource.namespaced else None)
            assert victim.send("POST", path, body=sample(kind.resource.group_resource)) in (201, 409)


@pytest.mark.parametrize(("group", "version"), GROUPS, ids=lambda part: part or "core")
def test_no_request_makes_it_fail(victim: Victim, group: str, version: str) -> None:
    document = victim.get(f"/openapi/v3/apis/{group}/{version}" if group else f"/openapi/v3/api/{version}")
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()

        def attack(case: Any) -> None:
            victim.judged(**aimed(case, victim))

        hypothesis.given(case=operation.as_strategy())(FUZZ(attack))()
    assert victim.send("GET", "/readyz?verbose=1") == 200


def aimed(case: Any, victim: Victim) -> dict[str, Any]:
    """The request as `requests` takes it: at an object that is there unless the example's namespace is to be odd, and
    never waiting for long."""
    parameters = case.path_parameters or {}
    if sum(map(ord, str(parameters.get("name", "")))) % 3:
        parameters |= {
            name: value for name, value in (("namespace", "default"), ("name", "sample")) if name in parameters
        }
    request: dict[str, Any] = case.as_transport_kwargs(base_url=victim.url)
    request.pop("stream", None)
    query = dict(request.get("params") or {})
    if "watch" in query:
        query["timeoutSeconds"] = 1
    request["params"] = query
    return request
