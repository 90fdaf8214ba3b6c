"""Takes Orders to their certificate: made at the server, challenges met, finalised, fetched.

Every state is the server's own word, kept in the status; whoever comes after a crash goes on from the order's URL. A
server that refuses ends the order; one that is not well, or does not answer, is asked again. Source of the behaviour:
cert-manager's `pkg/controller/acmeorders/sync.go`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from skerry.engine.certificates.helper.errors import HelperError, Refused
from skerry.engine.controllers.certmanager.issuers.account import Account, account_of
from skerry.engine.controllers.certmanager.looks import Looks
from skerry.engine.controllers.certmanager.orders.solvers import challenge_for, challenge_name, name_in, solver_for
from skerry.engine.controllers.certmanager.room import Room, decoded, encoded
from skerry.engine.controllers.writing import write_status
from skerry.engine.definitions.acme import CHALLENGES, ORDERS
from skerry.engine.definitions.certmanager import CLUSTER_ISSUERS, ISSUERS
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of, namespace_of, split_key, uid_of

LOST = ("invalid", "expired", "errored")


class OrderController(Controller):
    """Keys are those of Orders."""

    name = "orders"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._orders = room.of(ORDERS)
        self._challenges = room.of(CHALLENGES)
        self._looks = Looks()
        self.watch(self._orders)
        self.watch_owned(self._challenges, ORDERS)
        for resource in (ISSUERS, CLUSTER_ISSUERS):
            self.watch(room.of(resource), self._of_issuer)

    def _of_issuer(self, issuer: Obj) -> Iterable[str]:
        for order in self._orders.list(issuer["metadata"].get("namespace")):
            if order["spec"]["issuerRef"]["name"] == name_of(issuer) and not is_final(order):
                yield key_of(order)

    async def reconcile(self, key: str) -> float | None:
        """A step on."""
        namespace, name = split_key(key)
        order = self._orders.get(name, namespace)
        if order is None or is_deleting(order) or not self._room.acts_on(ORDERS):
            self._looks.forget(key)
            return None
        if is_final(order):
            await self._end_challenges(order)
            return None
        issuer = self._room.issuer(order["spec"]["issuerRef"], namespace)
        if issuer is None or not condition_is_true(issuer, "Ready"):
            return None  # its change calls again
        try:
            account = await account_of(self._room, issuer)
            return await self._step(order, issuer, account)
        except LookupError as error:
            raise HelperError(str(error)) from None
        except Refused as refused:
            await self._refused(order, refused)
            return None

    async def _step(self, order: Obj, issuer: Obj, account: Account) -> float | None:
        status = order.get("status") or {}
        if not status.get("url"):
            await self._begin(order, issuer, account)
            return None
        state = status.get("state")
        if state in (None, "pending"):
            return await self._prove(order, issuer, account)
        if state == "ready":
            request = decoded(order["spec"]["request"])
            answer = await self._call("finalize", account, url=status["finalizeURL"], request=request)
        else:
            answer = await self._call("order", account, url=status["url"])
        return await self._progress(order, account, answer)

    async def _begin(self, order: Obj, issuer: Obj, account: Account) -> None:
        spec = order["spec"]
        addresses = spec.get("ipAddresses") or []
        names = [*(spec.get("dnsNames") or ())]
        made = await self._call("new_order", account, names=names, addresses=addresses)
        fields = ("url", "identifier", "wildcard")
        kept = [
            {
                **{field: one[field] for field in fields},
                "initialState": one["state"],
                "challenges": [{word: each[word] for word in ("type", "url", "token")} for each in one["challenges"]],
            }
            for one in made["authorizations"]
        ]
        status = {"url": made["url"], "finalizeURL": made["finalize"], "authorizations": kept, "state": made["state"]}
        written = await write_status(self._room.client, ORDERS, order, status)
        for authorization in made["authorizations"]:
            if authorization["state"] == "pending":
                await self._challenge(written, issuer, authorization)

    async def _prove(self, order: Obj, issuer: Obj, account: Account) -> float | None:
        """See to it that there is a Challenge for whatever is not proven, and wait for all of them."""
        waits: list[Obj] = []
        for authorization in order["status"].get("authorizations") or ():
            if authorization["initialState"] == "valid":
                continue
            challenge = self._challenges.get(challenge_name(order, authorization["url"]), namespace_of(order))
            if challenge is None:
                fresh = await self._call("authorization", account, url=authorization["url"])
                if fresh["state"] == "pending":
                    waits.append(await self._challenge(order, issuer, fresh))
            else:
                waits.append(challenge)
        states = [(one.get("status") or {}).get("state") for one in waits]
        if any(state != "valid" and state not in LOST for state in states):
            await self._note(order, _reasons(waits))
            return None
        answer = await self._call("order", account, url=order["status"]["url"])
        return await self._progress(order, account, answer, _reasons(waits))

    async def _progress(self, order: Obj, account: Account, answer: dict[str, Any], why: str = "") -> float | None:
        """Keep what the server said; the change calls again."""
        status = {**order["status"], "state": answer["state"]}
        status.pop("reason", None)
        if answer["state"] == "valid":
            chain = await self._call("chain", account, url=answer["certificate"])
            status["certificate"] = encoded(chain)
            self._room.events.event(order, "Normal", "Complete", "Order completed successfully")
        elif answer["state"] in LOST:
            reason = answer["error"] or why or "the server gave no reason"
            status |= {"reason": reason, "failureTime": rfc3339(self._room.clock.now())}
            self._room.events.event(order, "Warning", "Failed", reason)
        written = await write_status(self._room.client, ORDERS, order, status)
        if written is not order:
            self._looks.forget(key_of(order))
            return None
        return self._looks.next(key_of(order), answer["wait"])

    async def _challenge(self, order: Obj, issuer: Obj, authorization: dict[str, Any]) -> Obj:
        offered = [one["type"] for one in authorization["challenges"]]
        name = name_in(authorization)
        solver = solver_for(issuer["spec"]["acme"].get("solvers") or (), labels_of(order), name, offered)
        if solver is None:
            raise Refused(f"no configured challenge solvers can be used for {name}: {', '.join(offered)}")
        challenge = challenge_for(order, authorization, solver)
        with contextlib.suppress(AlreadyExists):
            await self._room.client.create(CHALLENGES, challenge, namespace_of(order))
            text = f'Created Challenge resource "{name_of(challenge)}" for domain "{authorization["identifier"]}"'
            self._room.events.event(order, "Normal", "Created", text)
        return challenge

    async def _note(self, order: Obj, reason: str) -> None:
        status = {**order["status"], "reason": reason}
        if not reason:
            del status["reason"]
        await write_status(self._room.client, ORDERS, order, status)

    async def _refused(self, order: Obj, refused: Refused) -> None:
        """Raises HelperError when it is worth trying again."""
        status = {**(order.get("status") or {}), "reason": str(refused)}
        if refused.is_passing:
            await write_status(self._room.client, ORDERS, order, status)
            raise HelperError(str(refused))
        now = self._room.clock.now()
        status |= {"state": "errored", "failureTime": rfc3339(now)}
        if refused.retry_after:
            status["retryAfter"] = rfc3339(now + timedelta(seconds=refused.retry_after))
        await write_status(self._room.client, ORDERS, order, status)
        self._room.events.event(order, "Warning", "Failed", str(refused))

    async def _end_challenges(self, order: Obj) -> None:
        for challenge in self._challenges.list(namespace_of(order)):
            owners = [one["uid"] for one in challenge["metadata"].get("ownerReferences") or ()]
            if uid_of(order) in owners and not is_deleting(challenge):
                with contextlib.suppress(NotFound):
                    await self._room.client.delete(CHALLENGES, name_of(challenge), namespace_of(order))

    async def _call(self, name: str, account: Account, **arguments: Any) -> Any:
        return await self._room.helper.call(name, account=account.plain(), **arguments)


def is_final(order: Obj) -> bool:
    """Whether nothing more will happen to it."""
    status = order.get("status") or {}
    return status.get("state") in LOST or (status.get("state") == "valid" and bool(status.get("certificate")))


def _reasons(challenges: Sequence[Obj]) -> str:
    """Why challenges are not met yet, or never will be."""
    told = {one["spec"]["dnsName"]: (one.get("status") or {}).get("reason") for one in challenges}
    return "; ".join(f"{name}: {reason}" for name, reason in told.items() if reason)
