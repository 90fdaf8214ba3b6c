"""A pod's sandbox as the runtime is asked for it (the kubelet's `generatePodSandboxConfig`). Pure."""

from __future__ import annotations

from pathlib import Path

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.pods.state import (
    CONTAINER_NAME,
    POD_NAME,
    POD_NAMESPACE,
    POD_UID,
    init_containers,
    main_containers,
)
from skerry.engine.node.spec.dns import ClusterDns, resolver_for
from skerry.engine.node.spec.names import hostname
from skerry.engine.node.spec.security import groups, namespaces, pod_context
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of, uid_of
from skerry.kube.records import record

_BANDWIDTH = ("kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth")
"""Not for the runtime: `network.bandwidth` holds these limits. containerd would read them as well, and one that is none
would keep it from ever removing the sandbox."""


@record
class SandboxContext:
    """What of the node a sandbox needs: where logs go, the cgroup above its containers, how names are resolved."""

    log_directory: Path
    cgroup_parent: str
    dns: ClusterDns


def pod_log_directory(root: Path, pod: Obj) -> Path:
    """Where a pod's container logs are: `<root>/<namespace>_<name>_<uid>`."""
    return root / f"{namespace_of(pod)}_{name_of(pod)}_{uid_of(pod)}"


def pod_labels(pod: Obj) -> dict[str, str]:
    """What makes sandboxes and containers findable by their pod after the engine was restarted."""
    return {POD_NAME: name_of(pod), POD_NAMESPACE: namespace_of(pod), POD_UID: uid_of(pod)}


def container_labels(pod: Obj, name: str) -> dict[str, str]:
    """`pod_labels` and the container's name."""
    return {**pod_labels(pod), CONTAINER_NAME: name}


def sandbox_config(pod: Obj, attempt: int, context: SandboxContext) -> pb.PodSandboxConfig:
    """Raises ConfigError for a hostname that cannot be."""
    metadata = pb.PodSandboxMetadata(name=name_of(pod), uid=uid_of(pod), namespace=namespace_of(pod), attempt=attempt)
    security = pod_context(pod)
    return pb.PodSandboxConfig(
        metadata=metadata,
        hostname=hostname(pod, context.dns.domain),
        log_directory=str(context.log_directory),
        dns_config=resolver_for(pod, context.dns).to_cri(),
        labels={**labels_of(pod), **pod_labels(pod)},
        annotations={name: text for name, text in annotations_of(pod).items() if name not in _BANDWIDTH},
        linux=pb.LinuxPodSandboxConfig(
            cgroup_parent=context.cgroup_parent,
            security_context=_security(pod),
            sysctls={entry["name"]: str(entry["value"]) for entry in security.get("sysctls") or ()},
        ),
    )


def _security(pod: Obj) -> pb.LinuxSandboxSecurityContext:
    """The sandbox's own process needs nothing: the runtime's default seccomp profile, the pod's groups."""
    return pb.LinuxSandboxSecurityContext(
        namespace_options=namespaces(pod),
        supplemental_groups=groups(pod),
        privileged=any(
            (container.get("securityContext") or {}).get("privileged")
            for container in (*init_containers(pod), *main_containers(pod))
        ),
        seccomp=pb.SecurityProfile(profile_type=pb.SecurityProfile.RuntimeDefault),
    )
