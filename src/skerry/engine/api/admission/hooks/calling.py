"""Calling one webhook: the review out, the verdict back, or the failure Kubernetes names for it.

Source: `apiserver/pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go`.
"""

from __future__ import annotations

from uuid import uuid4

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.refusals import internal
from skerry.engine.api.admission.hooks.hook import Hook
from skerry.engine.api.admission.hooks.review import BadReview, Verdict, denial, review_of, verdict_of, version_for
from skerry.engine.api.webhooks.client import WebhookClient, WebhookFailure
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class Call:
    """One call of one webhook for one attempt to write."""

    hook: Hook
    kind: Kind
    attributes: Attributes
    mutating: bool

    async def verdict(self, client: WebhookClient, objects: tuple[Obj | None, Obj | None]) -> Verdict | None:
        """What the webhook says; None when it could not be asked and the request goes on all the same. Raises its
        refusal, InternalError (it could not be asked), BadRequest (it has side effects, in a dry run)."""
        self._check_side_effects()
        try:
            verdict = await self._ask(client, objects)
        except _Failed as failure:
            why = f'failed calling webhook "{self.hook.name}": {failure}'
            if not self.hook.fails_open:
                raise internal(why) from None
            self._annotate_failure()
            return None
        for text in verdict.warnings:
            self.attributes.warn(text)
        for key, value in verdict.annotations.items():
            self.attributes.annotate(f"{self.hook.name}/{key}", value)
        if not verdict.allowed:
            raise denial(self.hook.name, verdict.status)
        return verdict

    async def _ask(self, client: WebhookClient, objects: tuple[Obj | None, Obj | None]) -> Verdict:
        uid, version = str(uuid4()), version_for(self.hook.obj)
        review = review_of(self.attributes, self.kind, objects, uid, version)
        seconds = self.hook.obj.get("timeoutSeconds") or 10
        try:
            answer = await client.call(self.hook.obj["clientConfig"], review, seconds, f"?timeout={seconds}s")
        except WebhookFailure as error:
            raise _Failed(f"failed to call webhook: {error}") from None
        try:
            return verdict_of(answer, uid, version, mutating=self.mutating)
        except BadReview as error:
            raise _Failed(f"received invalid webhook response: {error}") from None

    def _check_side_effects(self) -> None:
        if self.attributes.dry_run and self.hook.obj.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise BadRequest(f'admission webhook "{self.hook.name}" does not support dry run')

    def _annotate_failure(self) -> None:
        phase = "mutation" if self.mutating else "validation"
        round_ = int(self.attributes.reinvoked)
        key = f"failed-open.{phase}.webhook.admission.k8s.io/round_{round_}_index_{self.hook.place}"
        self.attributes.annotate(key, self.hook.name)


class _Failed(Exception):
    """The webhook could not be asked."""
