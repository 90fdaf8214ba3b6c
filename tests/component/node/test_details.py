"""What containers find inside: environment, names, users, limits; and what is refused."""

from __future__ import annotations

import pytest

from skerry.kube.resources import CONFIG_MAPS, SECRETS
from tests.component.node.node import SLEEP, Node, container, phase, pod, ready, status_of, waiting

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def test_environment_from_everywhere(node: Node) -> None:
    await node.client.create(CONFIG_MAPS, {"metadata": {"name": "settings"}, "data": {"colour": "blue"}}, "default")
    await node.client.create(SECRETS, {"metadata": {"name": "keys"}, "stringData": {"token": "s3cret"}}, "default")
    env = [
        {"name": "PLAIN", "value": "a"},
        {"name": "EXPANDED", "value": "$(PLAIN)-$(MISSING)-$$(PLAIN)"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "no", "optional": True}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
    ]
    main = container(
        ["sh", "-c", f"echo $0; {SLEEP[2]}", "$(PLAIN)"],
        env=env,
        envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "CM_"}],
        resources={"limits": {"cpu": "250m"}},
    )
    await node.create(pod("env", main))
    running = await node.until("env", ready)
    lines = (await node.exec("env", "env")).splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables["EXPANDED"] == "a-$(MISSING)-$(PLAIN)"
    assert (variables["TOKEN"], variables["CM_colour"], variables["CPU"]) == ("s3cret", "blue", "250")
    assert variables["IP"] == running["status"]["podIP"]
    assert "ABSENT" not in variables


async def test_missing_config_map_is_told_and_waited_for(node: Node) -> None:
    env = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "x"}}}]
    await node.create(pod("patient", container(env=env)))
    await node.until("patient", waiting("CreateContainerConfigError"))
    await node.until_told("patient", "Failed", 'Error: configmap "later" not found')
    await node.client.create(CONFIG_MAPS, {"metadata": {"name": "later"}, "data": {"x": "y"}}, "default")
    await node.until("patient", ready)


async def test_the_security_context_of_the_talk(node: Node) -> None:
    context = {
        "runAsUser": 1000,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    await node.create(pod("safe", container(securityContext=context), securityContext={"fsGroup": 2000}))
    await node.until("safe", ready)
    assert (await node.exec("safe", "id")).split()[0] == "uid=1000(user)"
    status = await node.exec("safe", "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (fields["NoNewPrivs"], fields["Seccomp"], fields["CapBnd"]) == ("1", "2", "0" * 16)
    assert "2000" in fields["Groups"]
    denied = await node.instance.cri.exec_sync(
        status_of(await node.get("safe"))["containerID"].removeprefix("containerd://"), ["touch", "/x"], 5
    )
    assert b"Read-only" in denied.stderr


async def test_root_image_is_refused_when_it_must_not_be_root(node: Node) -> None:
    await node.create(pod("rooted", container(securityContext={"runAsNonRoot": True})))
    refused = await node.until("rooted", waiting("CreateContainerConfigError"))
    message = status_of(refused)["state"]["waiting"]["message"]
    assert message.startswith("container has runAsNonRoot and image will run as root")


async def test_names_inside(node: Node) -> None:
    aliases = [{"ip": "10.1.2.3", "hostnames": ["db", "cache"]}]
    spec = {"hostname": "one", "subdomain": "group", "hostAliases": aliases}
    dns = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.9.9.9"], "searches": ["a.example"]}}
    await node.create(pod("named", **spec, **dns))
    running = await node.until("named", ready)
    assert await node.exec("named", "cat", "/proc/sys/kernel/hostname") == "one\n"
    hosts = await node.exec("named", "cat", "/etc/hosts")
    assert f"{running['status']['podIP']}\tone.group.default.svc.cluster.local\tone" in hosts
    assert "10.1.2.3\tdb\tcache" in hosts
    assert await node.exec("named", "cat", "/etc/resolv.conf") == "search a.example\nnameserver 10.9.9.9\n"


async def test_host_network(node: Node) -> None:
    await node.create(pod("wide", hostNetwork=True))
    running = await node.until("wide", ready)
    assert running["status"]["podIP"] == running["status"]["hostIP"]


async def test_limits_reach_the_kernel(node: Node) -> None:
    resources = {"limits": {"cpu": "500m", "memory": "32Mi"}, "requests": {"cpu": "100m"}}
    await node.create(pod("limited", container(resources=resources)))
    running = await node.until("limited", ready)
    assert running["status"]["qosClass"] == "Burstable"
    groups = list(node.agent._context.cgroups._trees())  # type: ignore[union-attr]
    memory = next(tree for tree in groups if tree.name == "memory")
    limit = memory / node.config.cgroup.strip("/") / f"pod{running['metadata']['uid']}" / "memory.limit_in_bytes"
    assert limit.read_text().strip() == str(32 * 2**20)


async def test_unsafe_sysctl_fails_the_pod(node: Node) -> None:
    await node.create(pod("sysctl", securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}))
    failed = await node.until("sysctl", phase("Failed"))
    assert failed["status"]["reason"] == "SysctlForbidden"


async def test_image_that_is_never_pulled(node: Node) -> None:
    await node.create(pod("absent", {"name": "main", "image": "nowhere:1", "imagePullPolicy": "Never"}))
    told = await node.until("absent", waiting("ErrImageNeverPull"))
    message = status_of(told)["state"]["waiting"]["message"]
    assert message == 'Container image "nowhere:1" is not present with pull policy of Never'


async def test_image_that_cannot_be_pulled(node: Node) -> None:
    await node.create(pod("unpullable", {"name": "main", "image": "127.0.0.1:1/x:1"}))
    await node.until("unpullable", waiting("ErrImagePull"))
    await node.until("unpullable", waiting("ImagePullBackOff"))
    for reason in ("Pulling", "Failed", "BackOff"):
        await node.until_told("unpullable", reason)
