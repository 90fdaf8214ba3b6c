"""The examples of the page about Ingress, as they are written there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from skerry.kube.objects import annotations_of
from skerry.kube.resources import INGRESSES
from tests.component.ingress.certificates import Authority
from tests.component.ingress.world import running_ingress

pytestmark = pytest.mark.root
PAGE = Path(__file__).parents[3] / "docs/resources/ingress.md"


async def test_the_examples_do_what_they_say() -> None:
    authority = Authority.make()
    written = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S)]
    # the one with sign-on needs the platform: tests/component/platform/test_app_sign_on.py
    examples = [one for one in written if "skerry.dev/access" not in annotations_of(one)]
    async with running_ingress() as ingress:
        await ingress.app("hello")
        await ingress.secret("secure-tls", authority.secret("secure.example.com"), "kubernetes.io/tls")
        for example in examples:
            await ingress.world.client.create(INGRESSES, example, "default")
        assert [one["metadata"]["name"] for one in examples] == ["hello", "secure", "api"]
        await ingress.answers("hello.localhost", "/", "hello")
        await ingress.answers("secure.example.com", "/", "hello", tls=authority.context())
        answer = await ingress.answers("api.example.com", "/v2/things?all", "hello")
        assert answer.told["target"] == "/things?all"
