"""docs/resources/certificate.md: its manifests as they are written there, with pebble in Let's Encrypt's place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from skerry.engine.controllers.certmanager.challenges import controller as challenges
from skerry.engine.controllers.certmanager.ingresses import wanted
from skerry.engine.definitions.certmanager import CERTIFICATES, CLUSTER_ISSUERS
from skerry.kube.objects import Obj
from tests.component.certificates.answering import answering
from tests.component.certificates.test_authority import chain_of
from tests.component.certificates.world import running_certificates
from tests.support.kubectl import Kubectl
from tests.support.pebble import Pebble, pebble

PAGE = (Path(__file__).parents[3] / "docs/resources/certificate.md").read_text()


def examples(server: Pebble) -> list[Obj]:
    """All objects of the page; ACME issuers lead to pebble."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    found = [obj for block in blocks for obj in yaml.safe_load_all(block)]
    for obj in found:
        if acme := obj["spec"].get("acme"):
            acme |= {"server": server.directory, "caBundle": server.bundle}
            obj["metadata"]["annotations"] = {"skerry.dev/nameservers": server.nameserver}
    return found


async def test_the_examples_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pebble(tmp_path) as server:
        monkeypatch.setattr(challenges, "HTTP_PORT", server.http_port)
        async with running_certificates() as world, answering(world, server.http_port):
            kubectl = Kubectl(world.api.kubeconfig, tmp_path)
            given = examples(server)
            applied = await kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(given))
            assert "Warning" not in applied.err.replace("Warning: ingresses.networking.k8s.io are stored", "")
            names = [one["metadata"]["name"] for one in given if one["kind"] == "Certificate"]
            assert names == ["database", "lab-root", "node-7"]
            for name in (*names, "webinar-tls"):
                await world.condition(CERTIFICATES, name, "Ready")
            await world.condition(CLUSTER_ISSUERS, "letsencrypt-dns", "Ready")
            root = chain_of(await world.secret("lab-root"))[0]
            chain_of(await world.secret("node-7"))[0].verify_directly_issued_by(root)


def test_every_annotation_of_ingresses_is_on_the_page() -> None:
    missing = [word for word in wanted._FIELDS if word not in PAGE and f"-{word.rpartition('-')[2]}" not in PAGE]
    assert missing == []
