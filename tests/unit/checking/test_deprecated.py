"""Check "deprecated": what Kubernetes has taken out, and what nobody heeds any more."""

from __future__ import annotations

from skerry.checking.deprecated import REMOVED
from skerry.checking.schema.schemas import built_in
from tests.unit.checking.objects import deployment, found, objects


def test_versions_that_are_gone() -> None:
    (job,) = objects("{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: a}}")
    assert found("deprecated", job) == [
        "Error: CronJob a: apiVersion: batch/v1beta1 CronJob is not served since Kubernetes 1.25 (use batch/v1)"
    ]


def test_the_table_agrees_with_what_is_served() -> None:
    for (version, kind), gone in REMOVED.items():
        assert built_in(version, kind) is None, (version, kind)
        if "/" in gone.instead and " " not in gone.instead:
            assert built_in(gone.instead, kind) is not None, (gone.instead, kind)


def test_fields_and_annotations() -> None:
    old = deployment(
        serviceAccount="web",
        nodeSelector={"beta.kubernetes.io/os": "linux"},
        volumes=[{"name": "code", "gitRepo": {"repository": "https://example.org/code"}}],
    )
    old["spec"]["template"]["metadata"]["annotations"] = {"container.seccomp.security.alpha.kubernetes.io/web": "x"}
    said = "\n".join(found("deprecated", old))
    assert "Error: Deployment web: spec.template.spec.volumes[0].gitRepo: gitRepo volumes are not mounted" in said
    assert "spec.template.spec.serviceAccount: the field is deprecated (use serviceAccountName)" in said
    assert "nodeSelector[beta.kubernetes.io/os]: the label is deprecated" in said
    assert "spec.template.metadata.annotations[container.seccomp" in said
    (endpoints, ingress) = objects("""
        {apiVersion: v1, kind: Endpoints, metadata: {name: a}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: a, annotations: {kubernetes.io/ingress.class: nginx}}
    """)
    assert "is deprecated since 1.33" in found("deprecated", endpoints)[0]
    assert "use spec.ingressClassName" in found("deprecated", ingress)[0]
    assert found("deprecated", deployment()) == []
