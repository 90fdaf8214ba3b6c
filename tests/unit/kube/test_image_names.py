"""Image names as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.image_names import base_images, full_name, short_name

PARTS = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+)*", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("paulbouwer/hello-kubernetes:1.9", "docker.io/paulbouwer/hello-kubernetes:1.9"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:2", "localhost:5000/app:2"),
        ("registry.example/team/app", "registry.example/team/app:latest"),
        (f"app@sha256:{'a' * 64}", f"docker.io/library/app@sha256:{'a' * 64}"),
    ],
)
def test_full_names(written: str, full: str) -> None:
    assert full_name(written) == full


@pytest.mark.parametrize("wrong", ["", "UPPER", "a b", "-t", "app:", "app:a/b", "../app", "a//b", "app@sha256:12"])
def test_what_is_no_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an image name"):
        full_name(wrong)


@given(st.from_regex(r"[a-z0-9]+", fullmatch=True), PARTS)
def test_short_names_mean_the_same(owner: str, name: str) -> None:
    for written in (name, f"{owner}x/{name}"):
        assert full_name(short_name(full_name(written))) == full_name(written)
        assert full_name(full_name(written)) == full_name(written)


def test_base_images_of_a_dockerfile() -> None:
    text = """
    ARG VERSION=1
    FROM --platform=linux/amd64 python:3.11 AS build
    from debian:12 as other
    FROM scratch
    FROM build
    FROM app:$VERSION
    COPY --from=other /x /x
    """
    assert base_images(text) == ["docker.io/library/python:3.11", "docker.io/library/debian:12"]
