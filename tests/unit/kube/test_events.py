"""The recorder: one object per happening, counts for repeats, a limit for floods."""

from datetime import UTC, datetime

from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, name_of
from tests.support.clock import SetClock

from .fake_client import FakeClient

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POD: Obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "ns", "uid": "u1"}}


async def test_what_an_event_says() -> None:
    client = FakeClient()
    recorder = Recorder(client, SetClock(START), "node", "host-1")
    recorder.event(POD, "Warning", "BackOff", "no", "spec.containers{web}")
    await recorder.close()
    event = client.created[0]
    assert event["involvedObject"] == {
        "apiVersion": "v1", "kind": "Pod", "namespace": "ns", "name": "web", "uid": "u1",
        "fieldPath": "spec.containers{web}",
    }  # fmt: skip
    assert (event["type"], event["reason"], event["message"], event["count"]) == ("Warning", "BackOff", "no", 1)
    assert event["source"] == {"component": "node", "host": "host-1"}
    assert event["firstTimestamp"] == "2026-01-02T03:04:05Z"
    assert name_of(event).startswith("web.")


async def test_repeats_raise_the_count_and_gone_events_are_made_anew() -> None:
    client = FakeClient()
    recorder = Recorder(client, SetClock(START), "node")
    for _ in range(3):
        recorder.event(POD, "Normal", "Pulled", "x")
    await recorder.close()
    assert len(client.created) == 1
    assert [patch["count"] for _, patch in client.patched] == [2, 3]
    client.gone = True
    recorder.event(POD, "Normal", "Pulled", "x")
    await recorder.close()
    assert len(client.created) == 2


async def test_order_is_kept_and_components_share_the_writer() -> None:
    client = FakeClient()
    recorder = Recorder(client, SetClock(START), "a")
    other = recorder.named("b")
    for n in range(10):
        (recorder, other)[n % 2].event(POD, "Normal", "Step", str(n))
    await recorder.close()
    assert [event["message"] for event in client.created] == [str(n) for n in range(10)]
    assert {event["source"]["component"] for event in client.created} == {"a", "b"}


async def test_a_flood_about_one_object_is_cut_and_refills_slowly() -> None:
    client, clock = FakeClient(), SetClock(START)
    recorder = Recorder(client, clock, "a")
    for n in range(100):
        recorder.event(POD, "Normal", "Flood", str(n))
    await recorder.close()
    assert len(client.created) == 25
    clock.advance(301)
    recorder.event(POD, "Normal", "Flood", "later")
    recorder.event(POD, "Normal", "Flood", "later still")
    await recorder.close()
    assert [event["message"] for event in client.created[25:]] == ["later"]


async def test_cluster_scoped_objects_have_events_in_default() -> None:
    client = FakeClient()
    recorder = Recorder(client, SetClock(START), "a")
    recorder.event({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}, "Normal", "Ready", "yes")
    await recorder.close()
    assert client.created[0]["metadata"]["namespace"] == "default"


async def test_names_sort_in_the_order_things_happened() -> None:
    client = FakeClient()
    recorder = Recorder(client, SetClock(START), "tester")
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        recorder.event(POD, "Normal", reason, f"it was {reason}")
    await recorder.close()
    in_order = sorted(client.created, key=name_of)
    assert [event["reason"] for event in in_order] == ["Scheduled", "Pulled", "Created", "Started"]
