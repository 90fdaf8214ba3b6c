"""Meets Challenges: presented, looked at by ourselves, then by the ACME server.

HTTP-01 is presented by the Ingress, which says so in `status.presented`; DNS-01 by `dns01`, which cleans up before the
object goes (a finalizer). Servers count failures, so they are told to look only after we have seen the answer.
Source of the behaviour: cert-manager's `pkg/controller/acmechallenges/sync.go`.
"""

from __future__ import annotations

from typing import Any

from skerry.engine.certificates.helper.errors import HelperError, Refused
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.challenges import dns01
from skerry.engine.controllers.certmanager.issuers.account import Account, account_of
from skerry.engine.controllers.certmanager.looks import Looks
from skerry.engine.controllers.certmanager.orders.solvers import FINALIZER
from skerry.engine.controllers.certmanager.room import Room
from skerry.engine.controllers.writing import write_status
from skerry.engine.definitions.acme import CHALLENGES
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, split_key

FINAL = ("valid", "invalid", "expired", "errored")
HTTP_PORT = 80
"""Where ACME servers look (RFC 8555, 8.3)."""
_PATH = "/.well-known/acme-challenge/"
_PATIENT_LOOKS = 5  # a second or so
_ASK_EVERY = 30  # looks of ours that fail: the server may have given up meanwhile


class ChallengeController(Controller):
    """Keys are those of Challenges."""

    name = "challenges"
    workers = 8  # most of them wait for somebody on the network

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._challenges = room.of(CHALLENGES)
        self._looks = Looks()
        self.watch(self._challenges)

    async def reconcile(self, key: str) -> float | None:
        """A step on."""
        namespace, name = split_key(key)
        challenge = self._challenges.get(name, namespace)
        if challenge is None or not self._room.acts_on(CHALLENGES):
            self._looks.forget(key)
            return None
        issuer = self._room.issuer(challenge["spec"]["issuerRef"], namespace)
        if is_deleting(challenge) or state_of(challenge) in FINAL:
            await self._clean_up(challenge, issuer)
            return None
        if issuer is None:
            return self._looks.next(key)
        try:
            account = await account_of(self._room, issuer)
            return await self._step(challenge, issuer, account)
        except (HelperError, LookupError) as error:
            await self._note(challenge, reason=str(error))
            raise HelperError(str(error)) from None
        except Refused as refused:
            return await self._refused(challenge, refused)

    async def _step(self, challenge: Obj, issuer: Obj, account: Account) -> float | None:
        status = challenge.get("status") or {}
        if state_of(challenge) == "processing":
            return await self._look_up(challenge, account)
        if not status.get("presented"):
            return await self._present(challenge, issuer)
        if why := await self._check(challenge, issuer):
            again = await self._wait(challenge, why)
            given_up = self._looks.count(key_of(challenge)) % _ASK_EVERY == 0
            return await self._look_up(challenge, account) if given_up else again
        try:
            await self._room.helper.call("accept", account=account.plain(), url=challenge["spec"]["url"])
        except Refused as refused:
            if refused.kind != "malformed":  # it has been told before
                raise
        self._looks.forget(key_of(challenge))
        await self._note(challenge, state="processing", reason="", processing=True)
        return None

    async def _present(self, challenge: Obj, issuer: Obj) -> float | None:
        if "dns01" not in challenge["spec"]["solver"]:
            return await self._wait(challenge, "Waiting for the Ingress to present the challenge")
        await dns01.present(self._room, challenge, issuer, servers_of(issuer))
        await self._note(challenge, presented=True, processing=True)
        text = f"Presented challenge using {challenge['spec']['type']} challenge mechanism"
        self._room.events.event(challenge, "Normal", "Presented", text)
        return None

    async def _wait(self, challenge: Obj, why: str) -> float:
        """Look again soon. It is told once it takes longer than it should."""
        again = self._looks.next(key_of(challenge))
        if self._looks.count(key_of(challenge)) >= _PATIENT_LOOKS:
            await self._note(challenge, reason=why, processing=True)
        return again

    async def _check(self, challenge: Obj, issuer: Obj) -> str:
        """Why the server would not see what it looks for, "" when it would."""
        spec = challenge["spec"]
        if "dns01" in spec["solver"]:
            return await dns01.check(self._room, challenge, issuer, servers_of(issuer))
        why = await self._room.helper.call(
            "check_http", host=spec["dnsName"], path=_PATH + spec["token"], key=spec["key"], port=HTTP_PORT,
            servers=servers_of(issuer),
        )  # fmt: skip
        return f"Waiting for HTTP-01 challenge propagation: {why}" if why else ""

    async def _look_up(self, challenge: Obj, account: Account) -> float | None:
        """What the server made of it."""
        url = challenge["spec"]["authorizationURL"]
        answer = await self._room.helper.call("authorization", account=account.plain(), url=url)
        state = answer["state"]
        if state == "pending":
            return self._looks.next(key_of(challenge), answer["wait"])
        name, kind = challenge["spec"]["dnsName"], challenge["spec"]["type"]
        if state == "valid":
            text = f'Domain "{name}" verified with "{kind}" validation'
            self._room.events.event(challenge, "Normal", "DomainVerified", text)
            await self._note(challenge, state="valid", reason="Successfully authorized domain", processing=False)
            return None
        state = state if state in FINAL else "invalid"
        reason = f"Error accepting authorization: {answer['error'] or state}"
        self._room.events.event(challenge, "Warning", "Failed", reason)
        await self._note(challenge, state=state, reason=reason, processing=False)
        return None

    async def _refused(self, challenge: Obj, refused: Refused) -> float | None:
        if refused.is_passing or refused.kind == "rateLimited":
            await self._note(challenge, reason=str(refused))
            return self._looks.next(key_of(challenge), refused.retry_after)
        await self._note(challenge, state="errored", reason=str(refused), processing=False)
        return None

    async def _clean_up(self, challenge: Obj, issuer: Obj | None) -> None:
        finalizers = challenge["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            return
        if issuer is not None and (challenge.get("status") or {}).get("presented"):
            await dns01.clean_up(self._room, challenge, issuer, servers_of(issuer))
        metadata = {**challenge["metadata"], "finalizers": [one for one in finalizers if one != FINALIZER]}
        await self._room.client.update(CHALLENGES, {**challenge, "metadata": metadata})

    async def _note(self, challenge: Obj, **fields: Any) -> None:
        status = {**(challenge.get("status") or {}), **fields}
        await write_status(self._room.client, CHALLENGES, challenge, status)


def state_of(challenge: Obj) -> str:
    """As far as it is known."""
    return str((challenge.get("status") or {}).get("state") or "pending")


def servers_of(issuer: Obj) -> list[str]:
    """The name servers that an issuer says to look at."""
    return [one.strip() for one in annotations_of(issuer).get(names.NAMESERVERS, "").split(",") if one.strip()]
