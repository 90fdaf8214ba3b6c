"""Carries out what a release asks for: one operation of Helm after the other, with the project's rights.

Every function is one step and can be done again after it was interrupted anywhere: what Helm keeps tells how far it
came. Neighbours: `helm.program` runs Helm, `controller` decides when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from skerry.kube.errors import StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.releases import manifests
from skerry.platform.releases.accounts import Account, Accounts
from skerry.platform.releases.charts import Charts
from skerry.platform.releases.helm.program import Helm, Job, Outcome, Running
from skerry.platform.releases.helm.rendering import Refused, Render
from skerry.platform.releases.helm.storage import DIGEST_LABEL, OWNER_LABEL, HelmRevision, revisions_of
from skerry.platform.releases.labelling import labelled
from skerry.platform.releases.looking import look
from skerry.platform.releases.sources.charts import chart_of
from skerry.platform.releases.sources.kustomize import built
from skerry.platform.releases.types import RELEASE_LABEL
from skerry.platform.releases.wanted import Target, Wanted

_SECONDS_MORE = 300
"""For which a token is good beyond the release's own time."""

_BUSY = 429
"""From this code on nothing is wrong with what was asked."""


@record
class Carrier:
    """Runs Helm for targets."""

    helm: Helm
    accounts: Accounts
    charts: Charts

    async def apply(self, target: Target, wanted: Wanted, running: Running) -> Outcome:
        """Install it, or upgrade it. Raises Unready, NoHelm, StatusError, OSError."""
        spec = target.spec
        chart = await self._chart(target, wanted, running)
        labels = {
            DIGEST_LABEL: wanted.digest,
            OWNER_LABEL: target.owner[0],
            RELEASE_LABEL: target.owner[1],
        }
        words = [
            *("upgrade", target.name, "--install", "--reset-values", "--server-side=true", "--force-conflicts"),
            *("--history-max", str(spec.history), "--timeout", f"{spec.timeout_seconds}s"),
            *("--wait=watcher" if spec.wait else "--wait=hookOnly", "--hide-notes"),
            *(("--description", wanted.revision) if wanted.revision else ()),
            "--disable-openapi-validation",  # a third of what Helm costs; `look` has seen every field already
            *("--labels", ",".join(f"{name}={value}" for name, value in labels.items())),
        ]
        job = Job(
            words=words,
            kubeconfig=await self._kubeconfig(target),
            chart=chart,
            values=wanted.values,
            render=rendered(target, self.accounts.acting(target.account)),
            waits=True,
        )
        return await self.helm.run(job, running)

    async def _chart(self, target: Target, wanted: Wanted, running: Running) -> Path:
        """Its archive. Raises Unready, StatusError, OSError."""
        if wanted.source is None:
            return await self.charts.file(wanted.chart, self.accounts.acting(target.account), self.helm.charts)
        files, at = wanted.files, ""
        if wanted.chart.archive:
            fetched = await self.charts.files(wanted.chart, self.accounts.acting(target.account))
            files, at = sorted(fetched.texts.items()), fetched.at
        if wanted.source == "Kustomize":
            async with self.helm.turn():
                files = [("built.yaml", await built(files, running, at))]
        path = self.helm.charts / f"{target.account.namespace}.{target.name}.tgz"
        path.unlink(missing_ok=True)
        path.write_bytes(chart_of(target.name, wanted.digest, files))
        return path

    async def roll_back(self, target: Target, revision: int, running: Running, *, wait: bool) -> Outcome:
        """Run a revision again. Raises NoHelm, StatusError, OSError."""
        words = [
            *("rollback", target.name, str(revision), "--server-side=true", "--force-conflicts"),
            *("--history-max", str(target.spec.history), "--timeout", f"{target.spec.timeout_seconds}s"),
            "--wait=watcher" if wait else "--wait=hookOnly",
        ]
        return await self._run(target, words, running)

    async def uninstall(self, target: Target, running: Running) -> Outcome:
        """Take everything away but what the chart says is to stay. Raises NoHelm, StatusError, OSError."""
        timeout = f"{target.spec.timeout_seconds}s"
        return await self._run(target, ["uninstall", target.name, "--ignore-not-found", "--timeout", timeout], running)

    async def test(self, target: Target, running: Running) -> Outcome:
        """Run the chart's tests. Raises NoHelm, StatusError, OSError."""
        timeout = f"{target.spec.timeout_seconds}s"
        return await self._run(target, ["test", target.name, "--timeout", timeout], running)

    async def revisions(self, target: Target) -> list[HelmRevision]:
        """What Helm keeps, newest first. Raises StatusError, OSError."""
        return await revisions_of(self.accounts.acting(target.account), target.namespace, target.name)

    async def _run(self, target: Target, words: Sequence[str], running: Running) -> Outcome:
        return await self.helm.run(Job(words=words, kubeconfig=await self._kubeconfig(target)), running)

    async def _kubeconfig(self, target: Target) -> Obj:
        account: Account = target.account
        token = await self.accounts.token(account, target.spec.timeout_seconds + _SECONDS_MORE)
        return self.accounts.acting(account).kubeconfig_with_token(token, target.namespace)


def rendered(target: Target, client: HttpClient) -> Render:
    """What Helm is answered: the same with the release's label, once it has been looked at."""

    async def render(text: str) -> str:
        objects = await asyncio.to_thread(manifests.read, text)
        try:
            await look(objects, client, target.namespace)
        except StatusError as error:
            if error.code >= _BUSY:
                raise
            raise Refused(error.message) from None
        return await asyncio.to_thread(manifests.write, [labelled(one, target.owner[1]) for one in objects])

    return render
