"""A service's container: image, words, environment, probes, resources, what it may do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from skerry.checking.secrets import secret_in
from skerry.compose.application import Application, dns_label, listed
from skerry.compose.durations import seconds
from skerry.compose.notes import About
from skerry.kube.objects import Obj
from skerry.kube.quantities import binary_quantity, bytes_of

_PULL = {"always": "Always", "missing": "IfNotPresent", "if_not_present": "IfNotPresent", "never": "Never"}


def container_of(app: Application, service: str, about: About) -> tuple[Obj, dict[str, str]]:
    """The container without its mounts, and the secrets of its environment."""
    spec = app.services[service]
    env, secrets = _environment(service, spec.get("environment") or {}, about)
    container: Obj = {
        "name": dns_label(service),
        "image": app.image(service),
        "imagePullPolicy": _PULL.get(str(spec.get("pull_policy")), "IfNotPresent"),
        "command": _words(spec.get("entrypoint")),
        "args": _words(spec.get("command")),
        "workingDir": spec.get("working_dir"),
        "env": env,
        "resources": _resources(spec, about),
        "stdin": spec.get("stdin_open"),
        "tty": spec.get("tty"),
        "securityContext": _security(app, service, about),
        **_probes(spec, about),
    }
    return {key: value for key, value in container.items() if value}, secrets


def escaped(text: str) -> str:
    """As Kubernetes gives it back: `$(NAME)` would be a reference, and two dollars one."""
    made = []
    for index, letter in enumerate(text):
        made.append("$$" if letter == "$" and text[index + 1 : index + 2] in ("$", "(") else letter)
    return "".join(made)


def _words(words: Any) -> list[str]:
    given = shlex.split(words) if isinstance(words, str) else listed(words)
    return [escaped(str(word)) for word in given]


def _environment(service: str, given: Mapping[str, Any], about: About) -> tuple[list[Obj], dict[str, str]]:
    """Variables, and the values of those that are secrets, which are kept apart."""
    env: list[Obj] = []
    secrets: dict[str, str] = {}
    for name, value in given.items():
        if value is None:
            about.todo("environment", f"{name} comes from whoever starts it: set it")
        elif secret_in(name, str(value)):
            secrets[name] = str(value)
            reference = {"name": secret_name(service), "key": name}
            env.append({"name": name, "valueFrom": {"secretKeyRef": reference}})
        else:
            env.append({"name": name, "value": escaped(str(value))})
    if secrets:
        text = f"{', '.join(secrets)}: kept in the Secret {secret_name(service)}, apart from the rest"
        about.different("environment", text)
    return env, secrets


def secret_name(service: str) -> str:
    """Of the Secret that has the secrets of a service's environment."""
    return f"{dns_label(service)}-environment"


def _probes(spec: Obj, about: About) -> Obj:
    """Docker marks what is not healthy and does no more: it becomes readiness, with time to start."""
    check = spec.get("healthcheck") or {}
    test = listed(check.get("test"))
    if check.get("disable") or not test or test[0] == "NONE":
        return {}
    words = test[1:] if test[0] == "CMD" else ["/bin/sh", "-c", *test[1:]]
    period = seconds(check.get("interval"), 30)
    probe = {
        "exec": {"command": [str(word) for word in words]},
        "periodSeconds": period,
        "timeoutSeconds": seconds(check.get("timeout"), 30),
        "failureThreshold": int(check.get("retries") or 3),
    }
    start = seconds(check.get("start_period"), 0)
    if not start:
        return {"readinessProbe": probe}
    often = seconds(check.get("start_interval"), 5)
    return {
        "readinessProbe": probe,
        "startupProbe": {**probe, "periodSeconds": often, "failureThreshold": -(-start // often) + 3},
    }


def _resources(spec: Obj, about: About) -> Obj:
    deploy = (spec.get("deploy") or {}).get("resources") or {}
    limits, asked = deploy.get("limits") or {}, deploy.get("reservations") or {}
    resources: dict[str, dict[str, str]] = {
        "limits": _amounts(limits.get("cpus") or spec.get("cpus"), limits.get("memory") or spec.get("mem_limit")),
        "requests": _amounts(asked.get("cpus"), asked.get("memory") or spec.get("mem_reservation")),
    }
    if limits.get("pids") or spec.get("pids_limit"):
        about.missing("pids_limit", "limits of processes are the node's business")
    for device in (*(asked.get("devices") or ()), *_gpus(spec)):
        name, count = _device(device, about)
        if name:
            resources["limits"][name] = count
    return {which: given for which, given in resources.items() if given}


def _gpus(spec: Obj) -> list[Obj]:
    return [one if isinstance(one, dict) else {"count": one} for one in listed(spec.get("gpus"))]


def _device(device: Obj, about: About) -> tuple[str, str]:
    driver, count = device.get("driver") or "nvidia", device.get("count", 1)
    if driver not in ("nvidia", "amd") or "gpu" not in (device.get("capabilities") or ["gpu"]):
        about.missing("devices", f"a device of {driver} has no counterpart")
        return "", ""
    if count in ("all", -1):
        about.different("devices", "all GPUs of a machine cannot be asked for: one is")
        count = 1
    return f"{driver}.com/gpu", str(count)


def _amounts(cpus: Any, memory: Any) -> dict[str, str]:
    amounts = {"cpu": f"{round(float(cpus) * 1000)}m"} if cpus else {}
    return amounts | ({"memory": binary_quantity(bytes_of(str(memory)))} if memory else {})


def _security(app: Application, service: str, about: About) -> Obj:
    """As little as the file allows. Who is no root for sure is hardened as restricted namespaces want it."""
    spec = app.services[service]
    user, _, group = str(app.choices.users.get(service) or spec.get("user") or "").partition(":")
    security: Obj = {"seccompProfile": {"type": "RuntimeDefault"}}
    if user and not user.isdecimal():
        about.todo("user", f"{user} is a name of the image: give its number with --user {service}=UID")
    elif user:
        security |= {"runAsUser": int(user)} | ({"runAsGroup": int(group)} if group.isdecimal() else {})
    if spec.get("read_only"):
        security["readOnlyRootFilesystem"] = True
    capabilities = {"add": _capabilities(spec, "cap_add"), "drop": _capabilities(spec, "cap_drop")}
    if user.isdecimal() and int(user) and not spec.get("privileged"):
        security |= {"runAsNonRoot": True, "allowPrivilegeEscalation": False}
        capabilities["drop"] = ["ALL"]
    elif not user:
        about.todo("user", "whether it runs as root is the image's choice, which restricted namespaces refuse: "
                   f"give a number with --user {service}=UID")  # fmt: skip
    if given := {part: names for part, names in capabilities.items() if names}:
        security["capabilities"] = given
    if spec.get("privileged"):
        security["privileged"] = True
        about.todo("privileged", "most namespaces refuse privileged containers")
    return security


def _capabilities(spec: Obj, key: str) -> list[str]:
    return [str(name).upper().removeprefix("CAP_") for name in spec.get(key) or ()]
