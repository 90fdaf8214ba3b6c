"""An application as objects, and what of it has no counterpart. Pure, but for the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from skerry.checking.pods import pods_of
from skerry.checking.secrets import secret_in
from skerry.compose.application import Application, dns_label
from skerry.compose.network import network_of
from skerry.compose.notes import About, Note, Notes
from skerry.compose.workloads import workload_of
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record

_TRANSLATED = frozenset({
    "image", "command", "entrypoint", "environment", "env_file", "working_dir", "stdin_open", "tty", "pull_policy",
    "healthcheck", "deploy", "cpus", "mem_limit", "mem_reservation", "pids_limit", "gpus", "user", "read_only",
    "cap_add", "cap_drop", "privileged", "volumes", "tmpfs", "shm_size", "configs", "secrets", "ports", "expose",
    "networks", "container_name", "hostname", "extra_hosts", "dns", "dns_search", "stop_grace_period", "group_add",
    "sysctls", "platform", "network_mode", "pid", "ipc", "scale", "restart", "profiles", "depends_on", "build",
    "logging", "init", "attach",
})  # fmt: skip
"""Keys of a service that are dealt with, here or in the files beside."""
_WHY = {
    "ulimits": "limits of processes are the node's, or the program's own",
    "devices": "devices of the machine come by device plug-ins, as resources",
    "security_opt": "profiles are chosen by securityContext",
    "labels": "labels for Docker mean nothing here: proxies read Ingresses",
    "stop_signal": "the image's own signal is sent",
    "develop": "files are not watched: build the image again",
    "links": "services find each other by their names",
    "mac_address": "addresses are the network's",
    "cgroup_parent": "groups of processes are the node's",
    "userns_mode": "user namespaces are the pod's: hostUsers",
    "post_start": "use lifecycle.postStart",
    "pre_stop": "use lifecycle.preStop",
}
_DEPLOY = {
    "placement": "say it with affinity or nodeSelector", "update_config": "say it with strategy",
    "rollback_config": "kubectl rollout undo", "restart_policy": "pods are always started again", "labels": "",
    "endpoint_mode": "", "mode": "a service on every machine is a DaemonSet",
}  # fmt: skip


@record
class Translation:
    """Objects by the file that they belong into, secrets apart, and the notes."""

    name: str
    files: Mapping[str, list[Obj]]
    secrets: list[Obj] = field(default_factory=list)
    notes: tuple[Note, ...] = ()

    def objects(self) -> list[Obj]:
        """All of them, secrets first."""
        return [*self.secrets, *(obj for file in self.files.values() for obj in file)]


def translate(app: Application) -> Translation:
    """All of it."""
    notes, shared = Notes(), _Shared()
    files: dict[str, list[Obj]] = {}
    for service in app.services:
        about = About(notes, service)
        _leftovers(app, service, about)
        own = []
        for obj in (*workload_of(app, service, about), *network_of(app, service, about)):
            if shared.is_new(obj):
                own.append(obj)
        files[dns_label(service)] = own
    _shared_claims(files, notes)
    _networks(app, notes)
    secrets = [obj for objects in files.values() for obj in objects if obj["kind"] == "Secret"]
    rest = {name: [obj for obj in objects if obj["kind"] != "Secret"] for name, objects in files.items()}
    return Translation(app.name, rest, secrets, notes.all)


class _Shared:
    """What several services have is made once, by the first."""

    def __init__(self) -> None:
        self._made: set[tuple[str, str]] = set()

    def is_new(self, obj: Obj) -> bool:
        key = (obj["kind"], name_of(obj))
        is_new = key not in self._made
        self._made.add(key)
        return is_new


def _leftovers(app: Application, service: str, about: About) -> None:
    """Every key that has no counterpart is named, also those that nobody here has heard of."""
    spec = app.services[service]
    for key in spec:
        if key not in _TRANSLATED and not key.startswith("x-") and spec[key]:
            about.missing(key, _WHY.get(key, "it has no counterpart"))
    for key, why in _DEPLOY.items():
        if (spec.get("deploy") or {}).get(key) and (key, spec["deploy"][key]) != ("mode", "replicated"):
            about.missing(f"deploy.{key}", why or "it has no counterpart")
    if build := spec.get("build"):
        about.todo("build", _build(app, service, build))
    _waits(spec, about)


def _build(app: Application, service: str, build: Obj) -> str:
    words = ["skerry image build", "-t", app.image(service)]
    context = str(build.get("context", "."))
    if (dockerfile := build.get("dockerfile", "Dockerfile")) != "Dockerfile":
        words += ["-f", f"{context}/{dockerfile}"]
    for name, value in (build.get("args") or {}).items():
        words.append(f"--build-arg {name}={'...' if secret_in(name, str(value)) else value}")
    more = [key for key in ("target", "secrets", "ssh", "additional_contexts", "platforms") if build.get(key)]
    unsaid = f" (and not said: {', '.join(more)})" if more else ""
    return f"{' '.join((*words, context))}{unsaid}"


def _waits(spec: Obj, about: About) -> None:
    waited = list(spec.get("depends_on") or {})
    if waited:
        text = "pods start at once, and those that fail are started again until what they need is there"
        about.different("depends_on", f"it does not wait for {', '.join(waited)}: {text}")


def _shared_claims(files: Mapping[str, list[Obj]], notes: Notes) -> None:
    """Claims of several pods: on one node only, for what the default class gives."""
    users: dict[str, list[str]] = {}
    for service, pods in ((name, pods_of(obj)) for name, objects in files.items() for obj in objects):
        for volume in pods.spec.get("volumes", ()) if pods is not None else ():
            if claim := volume.get("persistentVolumeClaim"):
                users.setdefault(claim["claimName"], []).append(service)
                if pods is not None and pods.number > 1:
                    text = f"its replicas share the claim {claim['claimName']}: they run on one node"
                    notes.add("Different", f"service {service}: volumes", text)
    for name, services in users.items():
        if len(services) > 1:
            text = "share one claim: on several nodes, give it a class that has ReadWriteMany"
            notes.add("Different", f"volume {name}", f"{', '.join(sorted(services))} {text}")


def _networks(app: Application, notes: Notes) -> None:
    named = [name for name in app.document.get("networks") or {} if name != "default"]
    if named:
        text = "all pods of the namespace reach each other: NetworkPolicies keep them apart"
        notes.add("Different", f"networks {', '.join(named)}", text)
    if app.document.get("models"):
        notes.add("Missing", "models", "models that Compose runs have no counterpart")
