"""Sums that are kept are those that one would make anew, whatever came and went; a look at them counts nothing up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.kube.quota import sums as module
from skerry.kube.quota.amounts import Amount, Amounts, added
from skerry.kube.quota.scopes import Scope, within
from skerry.kube.quota.sums import Scopes, Sums
from skerry.kube.quota.usage import usage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL: Scopes = ()
EFFORT: Scopes = (Scope("NotBestEffort"),)


def pod(milli: int = 0, phase: str = "Running", **metadata: object) -> Obj:
    resources = {"requests": {"cpu": f"{milli}m"}} if milli else {}
    return {
        "metadata": {"name": "p", **metadata},
        "spec": {"containers": [{"name": "c", "resources": resources}]},
        "status": {"phase": phase},
    }


def anew(objects: dict[str, Obj], scopes: Scopes, now: datetime) -> dict[str, Amount]:
    total: dict[str, Amount] = {}
    for one in objects.values():
        if within(scopes, "pods", one):
            total = added(total, usage("pods", one, now))
    return total


def nonzero(total: Amounts) -> dict[str, str]:
    return {name: str(value) for name, value in total.items() if value.value}


names = st.sampled_from("abc")
pods = st.one_of(
    st.none(),
    st.builds(pod, st.integers(0, 5000), st.sampled_from(["Running", "Failed"])),
    st.builds(
        lambda milli, seconds: pod(milli, deletionTimestamp=rfc3339(NOW), deletionGracePeriodSeconds=seconds),
        st.integers(0, 5000),
        st.integers(0, 30),
    ),
)


@given(st.lists(st.tuples(names, pods, st.integers(-20, 20), st.booleans()), max_size=30))
def test_sums_are_what_they_would_be_anew(history: list[tuple[str, Obj | None, int, bool]]) -> None:
    """Also after somebody set the clock back."""
    kept = Sums("pods")
    objects: dict[str, Obj] = {}
    for name, obj, seconds, look in history:
        now = NOW + timedelta(seconds=seconds)
        kept.put(name, obj, now)
        objects.pop(name, None)
        if obj is not None:
            objects[name] = obj
        if look:
            for scopes in (ALL, EFFORT):
                assert nonzero(kept.total(scopes, now)) == nonzero(anew(objects, scopes, now))


def test_a_look_counts_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Sums("pods")
    for number in range(100):
        kept.put(str(number), pod(10), NOW)
    assert str(kept.total(ALL, NOW)["requests.cpu"]) == "1"
    asked: list[Obj] = []

    def counting(scopes: Scopes, resource: str, obj: Obj) -> bool:
        asked.append(obj)
        return within(scopes, resource, obj)

    monkeypatch.setattr(module, "within", counting)
    kept.put("0", None, NOW)
    kept.put("new", pod(20), NOW)
    assert str(kept.total(ALL, NOW)["requests.cpu"]) == "1010m"
    assert asked == [pod(10), pod(20)]


def test_the_next_end_is_that_of_what_still_counts() -> None:
    kept = Sums("pods")
    for seconds in (5, 20):
        kept.put(str(seconds), pod(10, deletionTimestamp=rfc3339(NOW), deletionGracePeriodSeconds=seconds), NOW)
    assert kept.next_end(NOW) == NOW + timedelta(seconds=5)
    assert kept.next_end(NOW + timedelta(seconds=6)) == NOW + timedelta(seconds=20)
    assert kept.next_end(NOW + timedelta(seconds=21)) is None
