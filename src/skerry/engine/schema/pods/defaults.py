"""What a pod spec means where it says nothing. Source: `SetDefaults_*` in `pkg/apis/core/v1/defaults.go`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.pods.whole import default_pod_requests
from skerry.kube.objects import Obj

_FILE_MODE = 0o644
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_WITH_MODE = ("secret", "configMap", "downwardAPI", "projected")


def default_pod_spec(spec: Obj) -> None:
    """Fill in a pod spec, in a Pod or in a template."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    _mirror_service_account(spec)
    for container in containers_of(spec):
        _default_container(container, host_network=bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes") or ():
        _default_volume(volume)


def containers_of(spec: Obj) -> Iterator[Obj]:
    """Init containers, then containers, then ephemeral ones."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def _mirror_service_account(spec: Obj) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`; Kubernetes shows both."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _default_container(container: Obj, *, host_network: bool) -> None:
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = default_pull_policy(container.get("image") or "")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if host_network and not port.get("hostPort") and "containerPort" in port:
            port["hostPort"] = port["containerPort"]
    for name in _PROBES:
        if name in container:
            default_probe(container[name])
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict) and "httpGet" in handler:
            _default_http_get(handler["httpGet"])
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source and "fieldRef" in source:
            source["fieldRef"].setdefault("apiVersion", "v1")
        if source and "fileKeyRef" in source:
            source["fileKeyRef"].setdefault("optional", False)


def default_pull_policy(image: str) -> str:
    """Always for the tag "latest" (said or implied), else IfNotPresent."""
    if "@" in image:
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].rpartition(":")
    return "IfNotPresent" if colon and tag != "latest" else "Always"


def default_probe(probe: Obj) -> None:
    """Timings, and what an HTTP or gRPC probe asks for."""
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        if not probe.get(field):
            probe[field] = value
    if "httpGet" in probe:
        _default_http_get(probe["httpGet"])
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _default_http_get(request: Obj) -> None:
    if not request.get("path"):
        request["path"] = "/"
    if not request.get("scheme"):
        request["scheme"] = "HTTP"


def _default_volume(volume: Obj) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
    for field in _WITH_MODE:
        if field in volume:
            volume[field].setdefault("defaultMode", _FILE_MODE)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "image" in volume:
        volume["image"].setdefault("pullPolicy", default_pull_policy(volume["image"].get("reference") or ""))
    _default_field_refs(volume.get("downwardAPI"))
    for source in (volume.get("projected") or {}).get("sources") or ():
        _default_field_refs(source.get("downwardAPI"))
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim:
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _default_field_refs(downward: Obj | None) -> None:
    for item in (downward or {}).get("items") or ():
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")


def default_template(template: Obj) -> None:
    """A pod template: like a pod, but for what only pods get."""
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))


def default_pod(pod: Obj) -> None:
    """A Pod: also requests from limits, and service links. What admission adds is in `engine.api.admission`.

    A negative grace period is one second; in templates it stays (`Convert_v1_Pod_To_core_Pod`).
    """
    spec = pod.setdefault("spec", {})
    default_pod_spec(spec)
    if _is_negative(spec["terminationGracePeriodSeconds"]):
        spec["terminationGracePeriodSeconds"] = 1
    spec.setdefault("enableServiceLinks", True)
    for container in containers_of(spec):
        _requests_from_limits(container)
    default_pod_requests(spec)


def _is_negative(value: object) -> bool:
    return isinstance(value, int) and value < 0


def _requests_from_limits(container: Obj) -> None:
    resources = container["resources"]
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}
