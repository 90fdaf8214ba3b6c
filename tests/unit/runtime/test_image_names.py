"""Names as the distribution project's own reference parser takes them."""

from __future__ import annotations

import pytest

from skerry.engine.node.containerd.image_names import familiar, normalise

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("hello", "docker.io/library/hello:latest"),
        ("hello:1.0", "docker.io/library/hello:1.0"),
        ("paulbouwer/hello-kubernetes:1.9", "docker.io/paulbouwer/hello-kubernetes:1.9"),
        ("docker.io/hello", "docker.io/library/hello:latest"),
        ("index.docker.io/a/b:c", "docker.io/a/b:c"),
        ("localhost/hello", "localhost/hello:latest"),
        ("localhost:5000/team/app:v1", "localhost:5000/team/app:v1"),
        ("registry.example.com/app", "registry.example.com/app:latest"),
        (f"hello@{DIGEST}", f"docker.io/library/hello@{DIGEST}"),
        ("[::1]:5000/a:b", "[::1]:5000/a:b"),
    ],
)
def test_normalise(name: str, full: str) -> None:
    assert normalise(name) == full
    assert normalise(full) == full
    assert normalise(familiar(full)) == full


@pytest.mark.parametrize(
    "name",
    ["", "Hello", "a//b", "../etc", "a:b:c", "hello:", "a b", "a/-b", "x@sha256:12", "a:" + "t" * 129, "-a", "a\n"],
)
def test_refused(name: str) -> None:
    with pytest.raises(ValueError, match="invalid image name"):
        normalise(name)
