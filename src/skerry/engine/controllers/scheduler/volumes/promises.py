"""What the scheduler has decided about claims and what the API does not show yet.

Between the decision and its writing another pod may be looked at: it must neither get the same volume nor send a claim
that both use to another node.
"""

from __future__ import annotations

from skerry.kube.records import record


@record
class Promise:
    """The claim will be used on `node`, and get `volume` ("" when one is made for it)."""

    node: str
    volume: str = ""


class Promises:
    """By pod (uid) and claim (key)."""

    def __init__(self) -> None:
        self._by_pod: dict[str, dict[str, Promise]] = {}
        self._by_claim: dict[str, Promise] = {}
        self._volumes: dict[str, str] = {}

    def make(self, uid: str, promises: dict[str, Promise]) -> None:
        """For one pod. A claim that another pod has been promised keeps that promise, which is the same."""
        self._by_pod[uid] = promises
        for claim, promise in promises.items():
            self._by_claim[claim] = promise
            if promise.volume:
                self._volumes[promise.volume] = claim

    def release(self, uid: str) -> None:
        """The pod is bound, by then all is written, or it is not going there."""
        for claim, promise in self._by_pod.pop(uid, {}).items():
            if self._by_claim.get(claim) is promise:
                del self._by_claim[claim]
                self._volumes.pop(promise.volume, None)

    def of(self, claim: str) -> Promise | None:
        """What was decided about a claim."""
        return self._by_claim.get(claim)

    def claim_with(self, volume: str) -> str:
        """The claim a volume was promised to, or ""."""
        return self._volumes.get(volume, "")
