"""Releases of plain manifests and of overlays."""

from __future__ import annotations

from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import message_of, release, releasing, until_reason

PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {text: '{{ not a template }}'}\n"
BASE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {text: base}\n"
OVERLAY = "resources: [base]\nnamePrefix: over-\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n"
OVERLAY += "    metadata: {name: one}\n    data: {text: overlay}\n"


async def test_manifests_and_overlays_are_releases_too() -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        await ben.create(CONFIG_MAPS, {"metadata": {"name": "plain"}, "data": {"a.yaml": PLAIN}}, "lidar")
        files = {"base__one.yaml": BASE, "base__kustomization.yaml": "resources: [one.yaml]\n"}
        files["kustomization.yaml"] = OVERLAY
        await ben.create(CONFIG_MAPS, {"metadata": {"name": "overlay"}, "data": files}, "lidar")
        plain = {"type": "Manifests", "configMap": "plain"}
        await ben.create(RELEASES, release("plain", chart=None, source=plain), "lidar")
        overlay = {"type": "Kustomize", "configMap": "overlay"}
        await ben.create(RELEASES, release("overlay", chart=None, source=overlay), "lidar")
        await until_reason(ben, "plain", "Deployed")
        assert (await ben.get(CONFIG_MAPS, "made", "lidar"))["data"] == {"text": "{{ not a template }}"}
        await until_reason(ben, "overlay", "Deployed")
        assert (await ben.get(CONFIG_MAPS, "over-one", "lidar"))["data"] == {"text": "overlay"}

        await ben.patch(
            CONFIG_MAPS, "overlay", {"data": {"kustomization.yaml": "resources: [github.com/a/b]\n"}}, "lidar"
        )
        await ben.patch(RELEASES, "overlay", {"spec": {"timeoutSeconds": 70}}, "lidar")
        said = message_of(await until_reason(ben, "overlay", "SourceRefused"))
        assert said == "kustomization.yaml: github.com/a/b is not among the files"
