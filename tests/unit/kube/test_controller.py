"""The controller's loop: keys from informers, retries, appointments."""

from collections.abc import Callable

from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS, REPLICA_SETS
from tests.support.waiting import until

from .fake_client import FakeClient


class Recording(Controller):
    """Notes what it is called for; raises or answers what it was told to, once per call."""

    name = "recording"
    workers = 2

    def __init__(self, *answers: Exception | float | None) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.answers = list(answers)

    async def reconcile(self, key: str) -> float | None:
        self.calls.append(key)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


async def run_until(controller: Recording, condition: Callable[[], object]) -> None:
    controller.start()
    try:
        await until(condition)
    finally:
        await controller.close()


async def test_conflicts_failures_and_bugs_are_tried_again() -> None:
    controller = Recording(Conflict("x"), NotFound("y"), RuntimeError("z"))
    controller.queue.add("a")
    await run_until(controller, lambda: len(controller.calls) == 4)
    assert controller.queue.failures("a") == 0


async def test_a_returned_number_is_an_appointment() -> None:
    controller = Recording(0.01)
    controller.queue.add("a")
    await run_until(controller, lambda: len(controller.calls) == 2)


def owned(owner: str) -> Obj:
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": "u", "controller": True}
    return {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [reference]}}


async def test_old_and_new_owner_are_queued() -> None:
    controller = Recording()
    informer = Informer(FakeClient(), PODS)
    controller.watch_owned(informer, REPLICA_SETS)
    handler = informer._handlers[0]
    handler(Delta(owned("first"), owned("second")))
    handler(Delta(None, {"metadata": {"name": "orphan", "namespace": "ns"}}))
    await run_until(controller, lambda: len(controller.calls) == 2)
    assert sorted(controller.calls) == ["ns/first", "ns/second"]


async def test_everything_watched_can_be_looked_at_again() -> None:
    controller, informer = Recording(), Informer(FakeClient(), PODS)
    controller.watch_owned(informer, REPLICA_SETS)
    informer._apply(("ns", "p"), owned("first"))
    await run_until(controller, lambda: controller.calls == ["ns/first"])
    again = Recording()
    again.watch(informer)
    await again.queue.take()
    again.queue.done("ns/p")
    again.look_again()
    await run_until(again, lambda: again.calls == ["ns/p"])
