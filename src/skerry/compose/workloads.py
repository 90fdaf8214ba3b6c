"""A service's pods: a Deployment, or a Job where others wait for its end."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.compose.application import Application, dns_label
from skerry.compose.containers import container_of, secret_name
from skerry.compose.durations import seconds
from skerry.compose.mounts import Mount, digest, mounts_of
from skerry.compose.notes import About
from skerry.kube.objects import Obj

_ENDED = "service_completed_successfully"


def workload_of(app: Application, service: str, about: About) -> list[Obj]:
    """The workload, and the objects that its pods need."""
    container, secrets = container_of(app, service, about)
    mounts = list({one.mount["mountPath"]: one for one in mounts_of(app, service, about)}.values())
    if mounts:
        container["volumeMounts"] = [one.mount for one in mounts]
    behind = [one.behind for one in mounts if one.behind is not None]
    if secrets:
        metadata = app.metadata(secret_name(service), service)
        held = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": secrets}
        behind.append(held)
    pod = _pod(app, service, container, mounts, about)
    return [*behind, _run(app, service, pod, mounts, behind, about)]


def _pod(app: Application, service: str, container: Obj, mounts: Sequence[Mount], about: About) -> Obj:
    spec = app.services[service]
    volumes = {one.volume["name"]: one.volume for one in mounts}
    pod: Obj = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": list(volumes.values()),
        "hostname": dns_label(str(spec["hostname"])) if spec.get("hostname") else None,
        "hostAliases": _aliases(spec, about),
        "dnsConfig": _dns(spec),
        "terminationGracePeriodSeconds": seconds(spec.get("stop_grace_period"), 10),
        "securityContext": _shared(app, service, mounts),
        "nodeSelector": _node(spec),
        "hostNetwork": spec.get("network_mode") == "host" or None,
        "hostPID": spec.get("pid") == "host" or None,
        "hostIPC": spec.get("ipc") == "host" or None,
    }
    for key in ("network_mode", "pid", "ipc"):
        if str(spec.get(key) or "host") not in ("host", "bridge", "private", "shareable", "none"):
            about.missing(key, f"{spec[key]}: only containers of one pod share that")
    if spec.get("network_mode") == "none":
        about.different("network_mode", "it has a network: a NetworkPolicy takes it away")
    if pod["hostNetwork"] or pod["hostPID"] or pod["hostIPC"]:
        about.todo("network_mode", "what shares the machine's namespaces is refused by most of the cluster's")
    return {key: value for key, value in pod.items() if value not in (None, [], {})}


def _shared(app: Application, service: str, mounts: Sequence[Mount]) -> Obj:
    """Volumes belong to the group that reads them, where it is known."""
    user, _, group = str(
        app.choices.users.get(service) or app.services[service].get("user") or ""
    ).partition(":")  # fmt: skip
    more = [int(one) for one in app.services[service].get("group_add") or () if str(one).isdecimal()]
    security: Obj = {"supplementalGroups": more} if more else {}
    if user.isdecimal() and int(user) and any("persistentVolumeClaim" in one.volume for one in mounts):
        security["fsGroup"] = int(group) if group.isdecimal() else int(user)
    sysctls = app.services[service].get("sysctls") or {}
    if isinstance(sysctls, dict) and sysctls:
        security["sysctls"] = [{"name": name, "value": str(value)} for name, value in sysctls.items()]
    return security


def _aliases(spec: Obj, about: About) -> list[Obj]:
    by_address: dict[str, list[str]] = {}
    for entry in spec.get("extra_hosts") or ():
        host, _, address = str(entry).partition("=")
        if address == "host-gateway":
            about.missing("extra_hosts", f"{host}: pods do not know the machine by a fixed name")
        else:
            by_address.setdefault(address, []).append(host)
    return [{"ip": address, "hostnames": hosts} for address, hosts in by_address.items()]


def _dns(spec: Obj) -> Obj:
    names = {"nameservers": spec.get("dns"), "searches": spec.get("dns_search")}
    return {key: list(value) for key, value in names.items() if isinstance(value, list) and value}


def _node(spec: Obj) -> Obj:
    architecture = str(spec.get("platform") or "").partition("/")[2].partition("/")[0]
    return {"kubernetes.io/arch": architecture} if architecture else {}


def _run(app: Application, service: str, pod: Obj, mounts: Sequence[Mount], behind: Sequence[Obj], about: About) -> Obj:
    metadata = app.metadata(dns_label(service), service)
    read = [one for one in behind if one["kind"] in ("ConfigMap", "Secret")]
    template: Obj = {"metadata": {"labels": app.labels(service)}, "spec": pod}
    if read and not is_job(app, service):  # a Job cannot be changed
        template["metadata"]["annotations"] = {"skerry.dev/content": digest(list(read))}
    if is_job(app, service):
        about.different("restart", "it runs to its end as a Job; to run it again, delete the Job and apply it")
        template["spec"] = {**pod, "restartPolicy": "OnFailure"}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
                "spec": {"backoffLimit": 10, "template": template}}  # fmt: skip
    keeps = any("persistentVolumeClaim" in one.volume for one in mounts)
    spec: Obj = {
        "replicas": _replicas(app.services[service]),
        "selector": {"matchLabels": app.labels(service)},
        "template": template,
    }
    if keeps:
        spec["strategy"] = {"type": "Recreate"}  # two pods on one disk do not go together
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _replicas(spec: Obj) -> int:
    deploy = spec.get("deploy") or {}
    given = deploy.get("replicas", spec.get("scale"))
    return 1 if given is None else int(given)


def is_job(app: Application, service: str) -> bool:
    """Whether a service ends: others wait for that, or it says that it is not to be started again."""
    waited = any(
        (one.get("depends_on") or {}).get(service, {}).get("condition") == _ENDED for one in app.services.values()
    )
    return waited or app.services[service].get("restart", "").partition(":")[0] in ("no", "on-failure")
