"""Check "images": where pods will look for them. What registries answer, see the component tests."""

from __future__ import annotations

from skerry.checking.facts import Facts, Images
from skerry.checking.registries import manifest_url
from tests.unit.checking.objects import deployment, found

_FULL = "docker.io/library/web:1"


def facts(*names: str, complete: bool = True, registries: dict[str, str] | None = None) -> Facts:
    return Facts("default", True, images=Images(frozenset(names), complete), registries=registries or {})


def said(image: str, known: Facts, **container: str) -> str:
    return "\n".join(found("images", deployment({"image": image, **container}), facts=known))


def test_what_nodes_have() -> None:
    assert said("web:1", facts(_FULL)) == ""
    assert "was not looked at" in said("web:1", Facts("default"))
    assert said("web:1", facts()).startswith(
        "Info: Deployment web: spec.template.spec.containers[0].image: no node has"
    )
    assert "Error" in said("Web:1", facts())


def test_images_that_are_pulled_from_nowhere() -> None:
    local = said("skerry.local/web:1", facts())
    assert local.startswith("Error: ")
    assert "no node has the image skerry.local/web:1" in local
    assert "skerry image build" in local
    assert said("skerry.local/web:1", facts(complete=False)).startswith("Warning: ")
    assert said("web:1", facts(), imagePullPolicy="Never").startswith("Error: ")
    assert said("web:1", facts(_FULL), imagePullPolicy="Never") == ""


def test_what_registries_say() -> None:
    assert said("web:1", facts(registries={_FULL: ""})) == ""
    absent = said("web:1", facts(registries={_FULL: "its registry has no such image"}))
    assert absent.startswith("Error: ")
    assert "web:1 cannot be pulled: its registry has no such image" in absent


def test_where_manifests_are() -> None:
    assert manifest_url(_FULL) == "https://registry-1.docker.io/v2/library/web/manifests/1"
    digest = f"ghcr.io/org/web:1@sha256:{'0' * 64}"
    assert manifest_url(digest) == f"https://ghcr.io/v2/org/web/manifests/sha256:{'0' * 64}"
    assert manifest_url("localhost:5000/a/b:2") == "http://localhost:5000/v2/a/b/manifests/2"
