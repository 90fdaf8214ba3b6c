"""What a refusal of the cluster means to whoever gave a command."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from skerry.cli.errors import one_line
from skerry.cli.printing import print_document
from skerry.cli.refusals import in_words, unreachable
from skerry.kube.errors import Forbidden, Invalid, NotFound, StatusError, Unauthorized, already_exists, not_found


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            not_found("projects.skerry.dev", "lidar"),
            "there is no project lidar here: `skerry projects ls` shows those there are",
        ),
        (
            not_found("persistentvolumeclaims", "data"),
            "there is no claim data here: `skerry volumes ls` shows those there are",
        ),
        (
            already_exists("projects.skerry.dev", "lidar"),
            "there is a project lidar already: `skerry projects ls` shows it",
        ),
        (not_found("leases.coordination.k8s.io", "x"), 'leases.coordination.k8s.io "x" not found'),
        (
            Forbidden('admission webhook "project-requests.skerry.dev" denied the request: you own it not'),
            "you own it not",
        ),
        (
            Forbidden('admission webhook "x.example" denied the request: no'),
            'admission webhook "x.example" denied the request: no',
        ),
        (
            Invalid('Project "kube-x" is invalid: <nil>: Invalid value: that is a name of the cluster'),
            'Project "kube-x" is invalid: that is a name of the cluster',
        ),
        (Forbidden("you may not", {"name": "lidar", "kind": "projects"}), "you may not"),
    ],
)
def test_refusals_in_words(error: StatusError, said: str) -> None:
    assert in_words(error) == said


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        (
            'create resource "releases" in API group "skerry.dev" in the namespace "x"',
            "x is of no project in which you",
        ),
        (
            'get resource "projects" in API group "skerry.dev" at the cluster scope',
            "or you are not in it; `skerry proj",
        ),
        ('patch resource "projects" in API group "skerry.dev" at the cluster scope', "its owners may, and operators; "),
        ('list resource "users" in API group "skerry.dev" at the cluster scope', "operators may; `skerry whoami`"),
    ],
)
def test_a_right_that_is_missing_is_told_with_who_has_it(missing: str, hint: str) -> None:
    refused = f'it is forbidden: User "anna" cannot {missing}'
    said = in_words(Forbidden(refused))
    assert (said.startswith(f"{refused}: "), hint in said) == (True, True)


def test_what_to_do_without_a_platform_without_credentials_and_without_a_server() -> None:
    assert "the platform does not run on this cluster" in in_words(NotFound("the server could not find it"))
    assert "skerry login" in in_words(Unauthorized("Unauthorized"))
    said = unreachable("https://127.0.0.1:1", ConnectionRefusedError(111, "Connection refused"))
    assert said.startswith("the API at https://127.0.0.1:1 does not answer: [Errno 111] Connection refused: ")
    assert "--kubeconfig" in said


def test_errors_of_several_lines_are_one() -> None:
    assert one_line(ValueError("a\n  in b:\n     ^")) == "a in b: ^"


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_who_manages_a_field_is_not_printed(output: str) -> None:
    data = {"managedFields": "a key of somebody's"}
    document = {"items": [{"metadata": {"name": "one", "managedFields": [{}]}, "data": data}]}
    done = CliRunner().invoke(click.Command("x", callback=lambda: print_document(document, output)))
    assert done.output.count("managedFields") == 1
    assert document["items"][0]["metadata"]["managedFields"], "what was read stays as it is"
