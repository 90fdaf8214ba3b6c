"""Deployments and the other controllers of pods."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.kube.objects import Obj

from .objects import APPS, REGISTRY, changed, created, deployment, pod, problems

DEPLOYMENTS = APPS["deployments"]


def test_deployment_defaults() -> None:
    made = created(DEPLOYMENTS, deployment())
    spec = made["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    template = spec["template"]["spec"]
    assert template["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in template, "only pods get it"
    assert "serviceAccountName" not in template
    assert made["status"] == {}
    assert not problems(DEPLOYMENTS, deployment())


def test_recreate_has_no_rolling_update() -> None:
    assert created(DEPLOYMENTS, deployment(strategy={"type": "Recreate"}))["spec"]["strategy"] == {"type": "Recreate"}
    found = problems(DEPLOYMENTS, deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}))
    assert "may not be specified when strategy `type` is 'Recreate'" in found["spec.strategy.rollingUpdate"]


def rolling(**limits: Any) -> Obj:
    return {"strategy": {"rollingUpdate": limits}}


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"replicas": -1}, "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        (
            {"selector": {"matchLabels": {"app": "other"}}},
            "spec.template.metadata.labels",
            'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
        ),
        ({"selector": {}}, "spec.selector", "empty selector is invalid for deployment"),
        (
            {"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}},
            "spec.selector.matchExpressions[0].operator",
            "not a valid selector operator",
        ),
        (
            rolling(maxSurge=0, maxUnavailable=0),
            "spec.strategy.rollingUpdate.maxUnavailable",
            "may not be 0 when `maxSurge` is 0",
        ),
        (rolling(maxSurge="0%", maxUnavailable="0%"), "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0"),
        (rolling(maxUnavailable="101%"), "spec.strategy.rollingUpdate.maxUnavailable", "must not be greater than 100%"),
        (rolling(maxSurge="many"), "spec.strategy.rollingUpdate.maxSurge", "a valid percent string"),
        (rolling(maxSurge=-1), "spec.strategy.rollingUpdate.maxSurge", "greater than or equal to 0"),
        ({"strategy": {"type": "BigBang"}}, "spec.strategy", "Unsupported value"),
        (
            {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
            "spec.progressDeadlineSeconds",
            "greater than minReadySeconds",
        ),
        (
            {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod(restartPolicy="Never")["spec"]}},
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Never": supported values: "Always"',
        ),
        ({"template": {"metadata": {"labels": {"app": "web"}}}}, "spec.template.spec.containers", "Required value"),
    ],
)
def test_refused_deployments(spec: Obj, field: str, message: str) -> None:
    assert message in problems(DEPLOYMENTS, deployment(**spec))[field]


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "statefulsets", "daemonsets"])
def test_the_selector_is_required_and_stays(plural: str) -> None:
    kind = APPS[plural]
    missing = deployment()
    del missing["spec"]["selector"]
    assert problems(kind, missing) == {
        "spec.selector": "Required value",
        "spec.template.metadata.labels": 'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    }

    def change(obj: Obj) -> None:
        obj["spec"]["selector"] = {"matchLabels": {"app": "web", "x": "y"}}
        obj["spec"]["template"]["metadata"]["labels"]["x"] = "y"

    _, causes = changed(kind, created(kind, deployment()), change)
    assert causes.get("spec.selector", "").endswith("field is immutable") or "forbidden" in causes["spec"]


def test_annotations_of_a_deployment_count_as_a_change() -> None:
    old = created(DEPLOYMENTS, deployment())
    assert (
        changed(DEPLOYMENTS, old, lambda obj: obj["metadata"].update(annotations={"a": "b"}))[0]["metadata"][
            "generation"
        ]
        == 2
    )
    assert (
        changed(DEPLOYMENTS, old, lambda obj: obj["metadata"].update(labels={"a": "b"}))[0]["metadata"]["generation"]
        == 1
    )


def test_stateful_sets() -> None:
    kind = APPS["statefulsets"]
    made = created(kind, deployment(serviceName="web", volumeClaimTemplates=[{"metadata": {"name": "data"}}]))
    spec = made["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["volumeClaimTemplates"][0]["spec"] == {"volumeMode": "Filesystem"}
    assert not changed(kind, made, lambda obj: obj["spec"].update(replicas=3))[1]
    _, causes = changed(kind, made, lambda obj: obj["spec"].update(serviceName="other"))
    assert "updates to statefulset spec for fields other than 'replicas'" in causes["spec"]


def _spec_of(**spec: Any) -> Obj:
    return deployment(serviceName="web", **spec)


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"podManagementPolicy": "Random"}, "spec.podManagementPolicy", "must be 'OrderedReady' or 'Parallel'"),
        ({"updateStrategy": {"type": "BigBang"}}, "spec.updateStrategy", "must be 'RollingUpdate' or 'OnDelete'"),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            "spec.updateStrategy.rollingUpdate",
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
        (
            {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
            "spec.updateStrategy.rollingUpdate.partition",
            "must be greater than or equal to 0",
        ),
        ({"ordinals": {"start": -1}}, "spec.ordinals.start", "must be greater than or equal to 0"),
        (
            {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Burn"}},
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
            'supported values: "Delete", "Retain"',
        ),
        (
            {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod(activeDeadlineSeconds=5)["spec"]}},
            "spec.template.spec.activeDeadlineSeconds",
            "Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
        ),
        (
            {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod(restartPolicy="Never")["spec"]}},
            "spec.template.spec.restartPolicy",
            'supported values: "Always"',
        ),
    ],
)
def test_refused_stateful_sets(spec: Obj, field: str, message: str) -> None:
    assert message in problems(APPS["statefulsets"], _spec_of(**spec))[field]


def test_containers_may_mount_claims() -> None:
    template = deployment()["spec"]["template"]
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    assert "spec.template.spec.containers[0].volumeMounts[0].name" in problems(
        APPS["statefulsets"], _spec_of(template=template)
    )
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    assert not problems(APPS["statefulsets"], _spec_of(template=template, volumeClaimTemplates=claims))


def test_max_unavailable_of_a_stateful_set_is_dropped_as_its_gate_is_off() -> None:
    made = created(APPS["statefulsets"], _spec_of(updateStrategy={"rollingUpdate": {"maxUnavailable": 2}}))
    assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_a_stateful_set_is_named_as_a_host() -> None:
    made = _spec_of()
    made["metadata"]["name"] = "web.v1"
    assert "RFC 1123 label" in problems(APPS["statefulsets"], made)["metadata.name"]


@pytest.mark.parametrize(
    ("rolling", "field", "message"),
    [
        ({"maxSurge": 1}, "maxSurge", "may not be set when maxUnavailable is non-zero"),
        ({"maxUnavailable": 0}, "maxUnavailable", "Required value: cannot be 0 when maxSurge is 0"),
        ({"maxUnavailable": 0, "maxSurge": "101%"}, "maxSurge", "must not be greater than 100%"),
        ({"maxUnavailable": "x"}, "maxUnavailable", "a valid percent string"),
    ],
)
def test_refused_updates_of_daemon_sets(rolling: Obj, field: str, message: str) -> None:
    found = problems(APPS["daemonsets"], deployment(updateStrategy={"rollingUpdate": rolling}))
    assert message in found[f"spec.updateStrategy.rollingUpdate.{field}"]


def test_the_template_of_a_daemon_set_has_a_generation_of_its_own() -> None:
    kind, name = APPS["daemonsets"], "deprecated.daemonset.template.generation"
    old = created(kind, deployment())
    assert old["metadata"]["annotations"] == {name: "1"}

    def cheat(obj: Obj) -> None:
        obj["spec"]["minReadySeconds"] = 3
        obj["metadata"]["annotations"] = {name: "7", "mine": "x"}

    new, causes = changed(kind, old, cheat)
    assert (new["metadata"]["annotations"], causes) == ({name: "1", "mine": "x"}, {})
    new, _ = changed(kind, old, lambda obj: obj["spec"]["template"]["spec"].update(hostname="x"))
    assert (new["metadata"]["annotations"][name], new["metadata"]["generation"]) == ("2", 2)


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "statefulsets"])
@pytest.mark.parametrize(
    ("status", "field", "message"),
    [
        ({"replicas": -1}, "replicas", "must be greater than or equal to 0"),
        ({"replicas": 1, "readyReplicas": 2}, "readyReplicas", "cannot be greater than status.replicas"),
        ({"replicas": 2, "availableReplicas": 1}, "availableReplicas", "cannot be greater than"),
    ],
)
def test_counts_in_a_status_add_up(plural: str, status: Obj, field: str, message: str) -> None:
    kind = APPS[plural]
    old = created(kind, deployment())
    causes = kind.strategy.validate_update({**old, "status": status}, old)
    assert message in {cause.field: cause.message for cause in causes}[f"status.{field}"]
    assert not kind.strategy.validate_update({**old, "status": {"replicas": 2, "readyReplicas": 2}}, old)


def test_collisions_only_grow() -> None:
    kind = APPS["daemonsets"]
    old = {**created(kind, deployment()), "status": {"desiredNumberScheduled": 1, "collisionCount": 2}}
    new = {**old, "status": {"desiredNumberScheduled": 1, "numberAvailable": 3}}
    (cause,) = kind.strategy.validate_update(new, old)
    assert (cause.field, cause.message) == ("status.collisionCount", "Invalid value: 0: cannot be decremented")


def test_controller_revisions() -> None:
    kind = APPS["controllerrevisions"]
    revision: Obj = {"metadata": {"name": "web-1"}, "data": {"spec": {}}, "revision": 1}
    assert not problems(kind, revision)
    assert problems(kind, {**revision, "revision": -1})["revision"].endswith("greater than or equal to 0")
    assert problems(kind, {"metadata": {"name": "x"}, "revision": 1})["data"] == "Required value: data is mandatory"
    old = created(kind, revision)
    assert not changed(kind, old, lambda obj: obj.update(revision=4))[1]
    assert changed(kind, old, lambda obj: obj.update(data={"spec": {"x": 1}}))[1]["data"].endswith("immutable")
    assert "generation" not in old["metadata"]


def test_daemon_sets() -> None:
    made = created(APPS["daemonsets"], deployment())
    assert made["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }
    assert "replicas" not in made["spec"]


def job(**spec: Any) -> Obj:
    return {
        "metadata": {"name": "j", "uid": "123"},
        "spec": {"template": {"spec": pod(restartPolicy="Never")["spec"]}, **spec},
    }


def test_jobs() -> None:
    kind = REGISTRY.kind("batch", "v1", "jobs")
    assert kind is not None
    made = created(kind, job())
    spec = made["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "123"}}
    assert spec["template"]["metadata"]["labels"]["job-name"] == "j"
    assert not problems(kind, job())
    assert "completions" not in created(kind, job(parallelism=3))["spec"], "a work queue"
    always = {"template": {"spec": pod()["spec"]}}
    assert 'valid values: "OnFailure", "Never"' in problems(kind, job(**always))["spec.template.spec.restartPolicy"]
    _, causes = changed(kind, made, lambda obj: obj["spec"]["template"]["spec"].update(hostname="x"))
    assert causes["spec.template"].endswith("field is immutable")


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "0 3 * * MON-FRI", "@daily", "@every 1h"])
def test_cron_jobs(schedule: str) -> None:
    kind = REGISTRY.kind("batch", "v1", "cronjobs")
    assert kind is not None
    obj = {"metadata": {"name": "c"}, "spec": {"schedule": schedule, "jobTemplate": {"spec": job()["spec"]}}}
    assert not problems(kind, obj)
    assert created(kind, obj)["spec"]["concurrencyPolicy"] == "Allow"
    obj["spec"] = {**obj["spec"], "schedule": "often"}
    assert "expected exactly 5 fields" in problems(kind, obj)["spec.schedule"]
    obj["metadata"] = {"name": "c" * 53}
    assert "must be no more than 52 characters" in problems(kind, obj)["metadata.name"]
