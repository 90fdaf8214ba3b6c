"""Where people open what a release made."""

from __future__ import annotations

import pytest

from skerry.platform.releases.urls import urls_of


@pytest.mark.parametrize(
    ("annotations", "scheme"),
    [
        ({}, "http"),
        ({"skerry.dev/access": "everyone"}, "http"),
        ({"skerry.dev/access": "members"}, "https"),
        ({"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"}, "https"),
    ],
)
def test_what_is_reached_by_https_only_is_told_so(annotations: dict[str, str], scheme: str) -> None:
    metadata = {"name": "web", "annotations": annotations}
    ingress = {"kind": "Ingress", "metadata": metadata, "spec": {"rules": [{"host": "web.lab.localhost"}]}}
    assert urls_of([ingress]) == [f"{scheme}://web.lab.localhost"]
