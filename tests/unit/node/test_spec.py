"""Security, resources, names, DNS and the requests made of the runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.errors import ConfigError
from skerry.engine.node.spec.container import ContainerContext, container_config
from skerry.engine.node.spec.dns import ClusterDns, Resolver, left_out, parse_resolv_conf, resolver_for
from skerry.engine.node.spec.names import hostname, hosts_file
from skerry.engine.node.spec.oom import oom_score
from skerry.engine.node.spec.resources import PodLimits, container_resources, pod_limits, quota, shares
from skerry.engine.node.spec.sandbox import SandboxContext, sandbox_config
from skerry.engine.node.spec.security import ImageUser, check_non_root, container_security, forbidden_sysctls
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class
from tests.unit.node.views import container, pod

GIB = 2**30


def limits(**amounts: str) -> Obj:
    return {"resources": {"limits": amounts}}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ({"requests": {"cpu": "100m"}}, "Burstable"),
        ({"limits": {"memory": "1Gi"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: Obj, quality: str) -> None:
    assert qos_class(pod(container(resources=resources))["spec"]) == quality


def test_cpu_and_memory() -> None:
    assert (shares(0), shares(1000), quota(0), quota(500), quota(1)) == (2, 1024, 0, 50_000, 1000)
    asked = container(resources={"limits": {"cpu": "2", "memory": "64Mi"}, "requests": {"cpu": "250m"}})
    resources = container_resources(pod(asked), asked, 8 * GIB)
    assert (resources.cpu_shares, resources.cpu_quota, resources.memory_limit_in_bytes) == (256, 200_000, 64 * 2**20)


def test_out_of_memory_scores() -> None:
    guaranteed, half = container(**limits(cpu="1", memory="1Gi")), container(resources={"requests": {"memory": "4Gi"}})
    assert oom_score(pod(guaranteed), guaranteed, 8 * GIB) == -997
    assert oom_score(pod(), container(), 8 * GIB) == 1000
    assert oom_score(pod(half), half, 8 * GIB) == 500
    everything = container(resources={"requests": {"memory": "8Gi"}})
    assert oom_score(pod(everything), everything, 8 * GIB) == 3


def test_out_of_memory_scores_of_a_pod_as_a_whole() -> None:
    small = container("a", resources={"requests": {"memory": "1Gi"}})
    whole = pod(small, container("b"), resources={"requests": {"memory": "5Gi"}})
    assert oom_score(whole, small, 8 * GIB) == 1000 - 1000 * 3 // 8
    assert oom_score(whole, container("b"), 8 * GIB) == 1000 - 1000 * 2 // 8
    helper = container("s", restartPolicy="Always")
    assert oom_score(pod(small, init=[helper]), helper, 8 * GIB) == 875, "not before the container it helps"
    assert oom_score(pod(small, priority=2_000_001_000), small, 8 * GIB) == -997


def test_resources_of_a_pod_as_a_whole() -> None:
    own = container("a", resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "200m", "memory": "1Gi"}})
    whole = {"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}
    both = pod(own, container("b"), resources=whole)
    assert pod_limits(both) == PodLimits(512, 100_000, 2 * GIB)
    first, second = (container_resources(both, each, 8 * GIB) for each in both["spec"]["containers"])
    assert (first.cpu_quota, first.memory_limit_in_bytes, first.cpu_shares) == (20_000, GIB, 102)
    assert (second.cpu_quota, second.memory_limit_in_bytes, second.cpu_shares) == (100_000, 2 * GIB, 1024)


def test_overhead_is_the_pods() -> None:
    one = container("a", **limits(cpu="1", memory="1Gi"))
    assert pod_limits(pod(one, overhead={"cpu": "500m", "memory": "1Gi"})) == PodLimits(1536, 150_000, 2 * GIB)
    assert pod_limits(pod(overhead={"cpu": "500m"})) == PodLimits(2)


def test_pod_limits_are_sums_or_the_largest_init_container() -> None:
    one, two = container("a", **limits(cpu="1", memory="1Gi")), container("b", **limits(cpu="1", memory="1Gi"))
    assert pod_limits(pod(one, two)).memory == 2 * GIB
    assert pod_limits(pod(one, two)).cpu_quota == 200_000
    big = container("big", **limits(cpu="1", memory="5Gi"))
    assert pod_limits(pod(one, two, init=[big])).memory == 5 * GIB
    assert pod_limits(pod(one, container("free"))).memory == 0


@pytest.mark.parametrize(
    ("context", "user", "problem"),
    [
        ({}, ImageUser(), "image will run as root"),
        ({}, ImageUser(uid=0), "image will run as root"),
        ({}, ImageUser(name="www"), "non-numeric user (www)"),
        ({"runAsUser": 0}, ImageUser(uid=5), "breaks non-root policy"),
        ({"runAsUser": 1000}, ImageUser(), ""),
        ({}, ImageUser(uid=5), ""),
    ],
)
def test_non_root(context: Obj, user: ImageUser, problem: str) -> None:
    one = container(securityContext=context)
    wanted = pod(one, securityContext={"runAsNonRoot": True})
    if not problem:
        check_non_root(wanted, one, user)
        return
    with pytest.raises(ConfigError) as caught:
        check_non_root(wanted, one, user)
    assert problem in caught.value.message


def test_container_overrides_the_pod() -> None:
    one = container(securityContext={"runAsUser": 7, "allowPrivilegeEscalation": False})
    of = pod(one, securityContext={"runAsUser": 5, "runAsGroup": 6, "fsGroup": 8, "supplementalGroups": [9]})
    security = container_security(of, one, ImageUser(uid=1))
    assert (security.run_as_user.value, security.run_as_group.value) == (7, 6)
    assert list(security.supplemental_groups) == [8, 9]
    assert security.no_new_privs
    assert "/proc/kcore" in security.masked_paths


def test_image_user_is_used_when_nobody_asks() -> None:
    assert container_security(pod(), container(), ImageUser(uid=33)).run_as_user.value == 33
    assert container_security(pod(), container(), ImageUser(name="www")).run_as_username == "www"
    assert not container_security(pod(), container(), ImageUser()).HasField("run_as_user")


def test_seccomp() -> None:
    profiles = pb.SecurityProfile
    default = pod(securityContext={"seccompProfile": {"type": "RuntimeDefault"}})
    assert container_security(default, container(), ImageUser()).seccomp.profile_type == profiles.RuntimeDefault
    privileged = container(securityContext={"privileged": True})
    assert container_security(default, privileged, ImageUser()).seccomp.profile_type == profiles.Unconfined
    assert container_security(pod(), container(), ImageUser()).seccomp.profile_type == profiles.Unconfined
    for name in ("../etc/passwd", "/etc/passwd", "missing.json"):
        local = pod(securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": name}})
        with pytest.raises(ConfigError, match="cannot load seccomp profile"):
            container_security(local, container(), ImageUser())


def test_sysctls() -> None:
    safe = pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]})
    assert forbidden_sysctls(safe) == []
    assert forbidden_sysctls(pod(securityContext={"sysctls": [{"name": "vm.swappiness", "value": "1"}]})) == [
        "vm.swappiness"
    ]


def test_hostnames() -> None:
    assert hostname(pod(), "cluster.local") == "web"
    assert hostname(pod(hostNetwork=True), "cluster.local") == ""
    full = {"hostname": "one", "subdomain": "group", "setHostnameAsFQDN": True}
    assert hostname(pod(**full), "cluster.local") == "one.group.default.svc.cluster.local"
    with pytest.raises(ConfigError):
        hostname(pod(hostname="not_valid"), "cluster.local")
    with pytest.raises(ConfigError):
        hostname(pod(**{**full, "subdomain": "g" * 50}), "cluster.local")
    long = pod()
    long["metadata"]["name"] = "a" * 62 + "-b"
    assert hostname(long, "cluster.local") == "a" * 62


def test_hosts() -> None:
    text = hosts_file(pod(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]), ("10.0.0.5",), "c.local", "")
    assert "10.0.0.5\tweb\n" in text
    assert text.endswith("1.2.3.4\ta\tb\n")
    assert "127.0.0.1\tmachine" in hosts_file(pod(hostNetwork=True), ("1.1.1.1",), "c.local", "127.0.0.1\tmachine\n")


MACHINE = Resolver(("9.9.9.9",), ("lan",), ("edns0",))


@pytest.mark.parametrize(
    ("spec", "server", "expected"),
    [
        ({}, "", MACHINE),
        (
            {},
            "10.1.0.10",
            Resolver(("10.1.0.10",), ("default.svc.c.local", "svc.c.local", "c.local", "lan"), ("ndots:5",)),
        ),
        ({"dnsPolicy": "Default"}, "10.1.0.10", MACHINE),
        ({"hostNetwork": True}, "10.1.0.10", MACHINE),
        (
            {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
            "10.1.0.10",
            Resolver(("10.1.0.10",), ("default.svc.c.local", "svc.c.local", "c.local", "lan"), ("ndots:5",)),
        ),
        (
            {
                "dnsConfig": {
                    "nameservers": ["8.8.8.8", "10.1.0.10"],
                    "searches": ["c.local", "x"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "rotate"}],
                }
            },
            "10.1.0.10",
            Resolver(
                ("10.1.0.10", "8.8.8.8"),
                ("default.svc.c.local", "svc.c.local", "c.local", "lan", "x"),
                ("ndots:2", "rotate"),
            ),
        ),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["8.8.8.8"]}}, "10.1.0.10", Resolver(("8.8.8.8",))),
        (
            {"dnsPolicy": "Default", "dnsConfig": {"searches": ["x"], "options": [{"name": "ndots", "value": "2"}]}},
            "",
            Resolver(("9.9.9.9",), ("lan", "x"), ("edns0", "ndots:2")),
        ),
    ],
)
def test_dns(spec: Obj, server: str, expected: Resolver) -> None:
    assert resolver_for(pod(**spec), ClusterDns(server, "c.local", lambda: MACHINE)) == expected


def test_search_paths_beyond_the_longest_line_are_left_out() -> None:
    searches = [f"{'x' * 200}{number}.example.org" for number in range(12)]
    one = pod(dnsPolicy="None", dnsConfig={"searches": searches})
    assert list(resolver_for(one, ClusterDns()).searches) == searches[:9]
    assert left_out(one, ClusterDns()) == [
        f"search paths beyond the limits are left out; in use: {' '.join(searches[:9])}"
    ]


def test_name_servers_beyond_three_are_left_out() -> None:
    one = pod(dnsConfig={"nameservers": ["10.9.9.1", "10.9.9.2", "10.9.9.3"]})
    dns = ClusterDns("10.0.0.10", "c.local", lambda: MACHINE)
    assert resolver_for(one, dns).servers == ("10.0.0.10", "10.9.9.1", "10.9.9.2")
    assert left_out(one, dns)[0].endswith("in use: 10.0.0.10 10.9.9.1 10.9.9.2")
    assert left_out(pod(), dns) == []


def test_the_machines_resolver_is_the_one_of_now() -> None:
    machines = [Resolver(("10.0.0.1",)), Resolver(("10.0.0.2",))]
    dns = ClusterDns("10.0.0.10", "c.local", lambda: machines[0])
    assert resolver_for(pod(dnsPolicy="Default"), dns).servers == ("10.0.0.1",)
    machines.reverse()
    assert resolver_for(pod(dnsPolicy="Default"), dns).servers == ("10.0.0.2",)


def test_resolv_conf_is_read() -> None:
    text = "# made by hand\nnameserver 1.1.1.1 # one\nsearch a b\nsearch c\noptions ndots:1 edns0\n; old\n"
    assert parse_resolv_conf(text) == Resolver(("1.1.1.1",), ("c",), ("ndots:1", "edns0"))


def test_container_request() -> None:
    one = container(command=["run", "$(A)"], args=["$$x"], workingDir="/w", tty=True)
    context = ContainerContext(3, "sha256:1", ImageUser(), {"A": "1"}, [], GIB)
    config = container_config(pod(one), one, context)
    assert (list(config.command), list(config.args)) == (["run", "1"], ["$x"])
    assert (config.log_path, config.metadata.attempt, config.working_dir, config.tty) == ("main/3.log", 3, "/w", True)
    assert config.labels["io.kubernetes.pod.uid"] == "u1"
    device = pb.Device(container_path="/d", host_path="/there", permissions="mrw")
    assert list(container_config(pod(one), one, replace(context, devices=[device])).devices) == [device]


def test_sandbox_request() -> None:
    context = SandboxContext(Path("/logs"), "/skerry-1/podu1", ClusterDns())
    shared = pod(shareProcessNamespace=True, hostIPC=True)
    config = sandbox_config(shared, 2, context)
    namespaces = config.linux.security_context.namespace_options
    assert (namespaces.pid, namespaces.ipc, namespaces.network) == (pb.POD, pb.NODE, pb.POD)
    assert (config.metadata.attempt, config.linux.cgroup_parent, config.hostname) == (2, "/skerry-1/podu1", "web")


def test_a_hostname_that_overrides_all_others() -> None:
    named = pod(hostname="other", subdomain="sub", hostnameOverride="override.example.host")
    assert hostname(named, "cluster.local") == "override.example.host"
    assert "10.0.0.5\toverride.example.host\n" in hosts_file(named, ("10.0.0.5",), "cluster.local", "")
