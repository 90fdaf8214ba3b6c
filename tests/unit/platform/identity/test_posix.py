"""Pods run with the numbers of whose they are, whatever their manifests say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj
from skerry.platform.identity.posix.numbers import Numbers, numbers_of, patch_to, running_as, strangers

ANNA = Numbers(1042, 100)
_NUMBER = st.none() | st.sampled_from([0, 100, 1000, 1042])
_CONTEXT = st.fixed_dictionaries(
    {}, optional={"runAsUser": _NUMBER, "runAsGroup": _NUMBER, "runAsNonRoot": st.booleans()}
)
_CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": st.just("c")}, optional={"securityContext": _CONTEXT}), max_size=2
)
_POD = st.fixed_dictionaries(
    {"containers": _CONTAINERS},
    optional={
        "initContainers": _CONTAINERS,
        "ephemeralContainers": _CONTAINERS,
        "securityContext": st.fixed_dictionaries(
            {},
            optional={
                "runAsUser": _NUMBER,
                "fsGroup": _NUMBER,
                "supplementalGroups": st.just([27]),
                "sysctls": st.just([]),
            },
        ),
    },
)


@given(_POD)
def test_after_it_nothing_runs_as_somebody_else(spec: Obj) -> None:
    after = running_as(spec, ANNA)
    assert list(strangers(after, ANNA)) == []
    assert patch_to(after, ANNA) == []
    assert {one["path"] for one in patch_to(spec, ANNA)} <= {
        "/spec/securityContext", "/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers",
    }  # fmt: skip


def test_what_runs_as_others_is_named() -> None:
    spec: Obj = {
        "securityContext": {"runAsUser": 1042, "runAsGroup": 100, "supplementalGroups": [0, 27]},
        "containers": [{"name": "one"}, {"name": "two", "securityContext": {"runAsUser": 0}}],
    }
    assert list(strangers(spec, ANNA)) == ["container two runs as 0:100", "it has the groups 0, 27 as well"]
    kept = running_as({**spec, "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, ANNA)
    assert kept["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_both_numbers_are_needed() -> None:
    assert numbers_of({"spec": {"uidNumber": 7, "gidNumber": 8}}) == Numbers(7, 8)
    assert numbers_of({"spec": {"uidNumber": 7}}) is None
