"""Releases by real Helm on a test cluster: from a chart to what runs, and away again."""

from __future__ import annotations

from pathlib import Path

from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, INGRESSES, SECRETS
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASE_LABEL, RELEASES, TEST
from tests.component.platform.releasing import message_of, release, releasing, until_reason
from tests.component.platform.test_projects_docs import examples
from tests.support.helm import Helm
from tests.support.kept_charts import WEB_FILES, put_chart
from tests.support.waiting import until, until_raises


async def test_a_chart_is_installed_with_the_projects_rights_and_uninstalled(tmp_path: Path) -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        secret = {"metadata": {"name": "more"}, "stringData": {"values.yaml": "text: of the secret\nreplicas: 2\n"}}
        await ben.create(SECRETS, secret, "lidar")
        wanted = release("web", values={"host": "web.example"}, valuesFrom=[{"secret": "more"}])
        await ben.create(RELEASES, wanted, "lidar")
        found = await until_reason(ben, "web", "Deployed")

        status = found["status"]
        assert message_of(found) == "revision 1, web 1.0.0"
        assert (status["phase"], status["revision"], status["appVersion"]) == ("Deployed", 1, "7")
        assert (status["url"], status["notes"]) == ("https://web.example", "Open web.example.")
        assert [one["status"] for one in status["history"]] == ["deployed"]
        deployment = await ben.get(DEPLOYMENTS, "web", "lidar")
        assert deployment["spec"]["replicas"] == 2
        assert deployment["spec"]["template"]["metadata"]["annotations"]["text"] == "of the secret"
        assert deployment["spec"]["template"]["metadata"]["labels"][RELEASE_LABEL] == "web"
        assert (await ben.get(INGRESSES, "web", "lidar"))["metadata"]["labels"][RELEASE_LABEL] == "web"
        helm = Helm(running.cluster.kubeconfig, tmp_path, "lidar")
        assert helm.history("web") == [(1, "deployed")]

        notebook, pages, *_ = examples("resources/release.md", "Release")
        (files,) = examples("resources/release.md", "ConfigMap")
        await ben.create(RELEASES, notebook)
        await ben.create(CONFIG_MAPS, files)
        await ben.create(RELEASES, pages)
        await until_reason(ben, "notebook", "Deployed")
        await until_reason(ben, "pages", "Deployed")
        assert (await ben.get(CONFIG_MAPS, "test-pages", "lidar"))["data"] == {"index.html": "hello"}
        await ben.delete(RELEASES, "pages", "lidar")
        await ben.delete(RELEASES, "notebook", "lidar")
        await ben.delete(RELEASES, "web", "lidar")
        await until_raises(NotFound, lambda: ben.get(RELEASES, "notebook", "lidar"))
        await until_raises(NotFound, lambda: ben.get(RELEASES, "pages", "lidar"))
        await until_raises(NotFound, lambda: ben.get(RELEASES, "web", "lidar"))
        await until_raises(NotFound, lambda: ben.get(DEPLOYMENTS, "web", "lidar"))
        assert helm.json("list") == []


async def test_a_release_is_upgraded_fails_comes_back_and_rolls_back(tmp_path: Path) -> None:
    async with releasing() as running:
        ben, helm = running.as_user("ben"), Helm(running.cluster.kubeconfig, tmp_path, "lidar")
        await ben.create(RELEASES, release("web", chart={"name": "web", "version": "1"}), "lidar")
        await until_reason(ben, "web", "Deployed")

        await ben.patch(RELEASES, "web", {"spec": {"values": {"text": "second"}}}, "lidar")
        found = await until_reason(ben, "web", "Deployed")
        assert (found["status"]["revision"], await text_of(ben)) == (2, "second")
        assert [one["status"] for one in found["status"]["history"]] == ["deployed", "superseded"]

        # a newer version that the range means is followed, one that it does not mean is not
        await put_chart(running.admin, "web", {"1.1.0": WEB_FILES, "2.0.0": WEB_FILES, "1.0.0": WEB_FILES})
        await until_chart(ben, "web-1.1.0")

        # an upgrade that does not get ready: what ran before runs again, and the reason is said
        await ben.patch(RELEASES, "web", {"spec": {"values": {"ready": "false"}, "timeoutSeconds": 5}}, "lidar")
        found = await until_reason(ben, "web", "UpgradeFailed")
        assert "(revision 3 runs again)" in message_of(found)
        assert found["status"]["phase"] == "Failed"
        assert found["status"]["history"][0]["description"] == "Rollback to 3"
        assert len(helm.history("web")) == 5
        # the reason to fail is gone: the next change is tried
        rollback = {"spec": {"values": {"ready": None}, "timeoutSeconds": 600, "rollbackTo": 1}}
        await ben.patch(RELEASES, "web", rollback, "lidar")
        found = await until_reason(ben, "web", "Deployed")
        assert (found["status"]["revision"], await text_of(ben)) == (6, "hello")
        assert helm.history("web")[-1] == (6, "deployed")
        await ben.patch(RELEASES, "web", {"spec": {"rollbackTo": 77}}, "lidar")
        assert "there is no revision 77; there are: 1, 2, 3" in message_of(
            await until_reason(ben, "web", "RevisionMissing")
        )
        await ben.patch(RELEASES, "web", {"spec": {"rollbackTo": None}}, "lidar")
        await until_reason(ben, "web", "Deployed")
        assert await text_of(ben) == "second"


async def test_what_runs_is_tested_stopped_started_and_kept_as_it_was_applied() -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        await ben.create(RELEASES, release("web", values={"replicas": 2}, test=True), "lidar")
        found = await until(lambda: last_test(ben, 1), "tested")
        assert found["passed"], found
        await ben.patch(RELEASES, "web", {"metadata": {"annotations": {TEST: "now"}}}, "lidar")
        await until(lambda: asked(ben, "now"), "tested again")

        await ben.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 3}}, "lidar")
        await until(lambda: drift(ben, ["Deployment/web: spec.replicas"]), "drift is shown")
        await ben.patch(RELEASES, "web", {"spec": {"drift": "Correct"}}, "lidar")
        await ben.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 4}}, "lidar")
        await until(lambda: replicas(ben, 2), "drift is corrected")
        await until(lambda: drift(ben, []), "no drift is shown")

        await ben.patch(RELEASES, "web", {"spec": {"stopped": True}}, "lidar")
        await until_reason(ben, "web", "Stopped")
        assert await replicas(ben, 0)
        await ben.patch(RELEASES, "web", {"spec": {"values": {"text": "while stopped"}}}, "lidar")
        await ben.patch(RELEASES, "web", {"spec": {"stopped": False}}, "lidar")
        found = await until_reason(ben, "web", "Deployed")
        assert (found["status"]["revision"], await text_of(ben)) == (2, "while stopped")
        assert await replicas(ben, 2)

        await ben.patch(RELEASES, "web", {"spec": {"suspended": True, "values": {"text": "later"}}}, "lidar")
        found = await until_reason(ben, "web", "Suspended")
        assert (found["status"]["phase"], await text_of(ben)) == ("Suspended", "while stopped")
        await ben.patch(RELEASES, "web", {"spec": {"suspended": False}}, "lidar")
        await until_reason(ben, "web", "Deployed")
        assert await text_of(ben) == "later"


SOME = "{{ if .Values.some }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: some}\n{{ end }}\n"


async def test_a_chart_may_have_nothing_to_apply() -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        await put_chart(running.admin, "optional", {"1.0.0": {"templates/a.yaml": SOME}})
        await ben.create(RELEASES, release("optional", chart={"name": "optional"}), "lidar")
        await until_reason(ben, "optional", "Deployed")
        for some in (True, False):
            await ben.patch(RELEASES, "optional", {"spec": {"values": {"some": some}}}, "lidar")
            await until_reason(ben, "optional", "Deployed")
            there = [one["metadata"]["name"] for one in (await ben.list(CONFIG_MAPS, "lidar")).items]
            assert ("some" in there) is some
        await ben.delete(RELEASES, "optional", "lidar")
        await until_raises(NotFound, lambda: ben.get(RELEASES, "optional", "lidar"))


async def test_what_a_person_uninstalls_by_helm_is_missed(tmp_path: Path) -> None:
    async with releasing() as running:
        ben, helm = running.as_user("ben"), Helm(running.cluster.kubeconfig, tmp_path, "lidar")
        await ben.create(RELEASES, release("web"), "lidar")
        await until_reason(ben, "web", "Deployed")
        helm("uninstall", "web")
        await until(lambda: drift(ben, ["release web: uninstalled by helm"]), "it is shown")
        await ben.patch(RELEASES, "web", {"spec": {"drift": "Correct"}}, "lidar")
        await until(lambda: drift(ben, []), "it is put right")
        await until_reason(ben, "web", "Deployed")
        assert await replicas(ben, 1)


async def test_what_sleeps_is_corrected_without_being_woken() -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        await ben.create(RELEASES, release("web", drift="Correct"), "lidar")
        await until_reason(ben, "web", "Deployed")
        await running.admin.patch(PROJECTS, "lidar", {"spec": {"state": "Hibernated"}})
        await until(lambda: replicas(ben, 0), "it sleeps")
        changed = {"template": {"metadata": {"annotations": {"text": "somebody else's"}}}}
        await running.admin.patch(DEPLOYMENTS, "web", {"spec": changed}, "lidar")

        async def is_corrected() -> bool:
            return await text_of(ben) == "hello"

        await until(is_corrected, "it is put right")
        assert await replicas(ben, 0)


async def text_of(client: HttpClient) -> str:
    """What the application was told to say."""
    found = await client.get(DEPLOYMENTS, "web", "lidar")
    return str(found["spec"]["template"]["metadata"]["annotations"]["text"])


async def until_chart(client: HttpClient, chart: str) -> None:
    """Wait until this is what runs."""

    async def runs() -> bool:
        return bool((await client.get(RELEASES, "web", "lidar"))["status"]["chart"] == chart)

    await until(runs, chart)


async def last_test(client: HttpClient, revision: int) -> Obj | None:
    found: Obj | None = (await client.get(RELEASES, "web", "lidar"))["status"].get("tested")
    return found if found and found["revision"] == revision else None


async def asked(client: HttpClient, word: str) -> bool:
    return bool((await client.get(RELEASES, "web", "lidar"))["status"]["tested"].get("asked") == word)


async def drift(client: HttpClient, wanted: list[str]) -> bool:
    return bool((await client.get(RELEASES, "web", "lidar"))["status"].get("drift") == wanted)


async def replicas(client: HttpClient, wanted: int) -> bool:
    return bool((await client.get(DEPLOYMENTS, "web", "lidar"))["spec"]["replicas"] == wanted)
