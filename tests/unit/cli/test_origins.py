"""What `skerry launch` makes of what it is told to launch."""

from __future__ import annotations

import click
import pytest

from skerry.cli.releases.origins import Origin
from skerry.kube.objects import Obj

GIT = "git+https://git.example/lidar/deploy.git"


@pytest.mark.parametrize(
    ("origin", "name", "spec"),
    [
        (Origin("web"), "web", {"chart": {"name": "web"}}),
        (Origin("skerry/web", version="^1"), "web", {"chart": {"catalog": "skerry", "name": "web", "version": "^1"}}),
        (
            Origin("oci://registry.example/charts/web", secret="login"),
            "web",
            {"chart": {"url": "oci://registry.example/charts/web", "secret": "login"}},
        ),
        (
            Origin("https://charts.example/web-1.2.0.tgz"),
            "web",
            {"chart": {"url": "https://charts.example/web-1.2.0.tgz"}},
        ),
        (
            Origin(GIT),
            "deploy",
            {"source": {"type": "Chart", "git": {"url": "https://git.example/lidar/deploy.git"}}},
        ),
        (
            Origin(
                "git+ssh://git@git.example/deploy/", ref="v2", path="overlays/prod/", type="Kustomize", secret="key"
            ),
            "prod",
            {
                "source": {
                    "type": "Kustomize",
                    "git": {
                        "url": "ssh://git@git.example/deploy/",
                        "ref": "v2",
                        "path": "overlays/prod/",
                        "secret": "key",
                    },
                }
            },
        ),
    ],
)
def test_name_and_spec(origin: Origin, name: str, spec: Obj) -> None:
    assert (origin.name, origin.spec()) == (name, spec)


@pytest.mark.parametrize(
    ("origin", "what"),
    [
        (Origin(GIT, version="^1"), "--version is for charts that have versions"),
        (Origin("web", ref="main"), "--ref is for what is in git"),
        (Origin("oci://registry.example/web", path="a"), "--path is for what is in git"),
        (Origin("web", type="Manifests"), "--type is for what is in git"),
    ],
)
def test_options_of_the_other_kind_are_refused_by_name(origin: Origin, what: str) -> None:
    with pytest.raises(click.UsageError, match=what):
        origin.spec()
