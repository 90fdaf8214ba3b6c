"""Security contexts of pods and containers as the runtime takes them.

Source of the behaviour: the kubelet's `security_context.go` and `kuberuntime_container_linux.go`. A container's own
field wins over the pod's. Raises ConfigError where the kubelet reports CreateContainerConfigError.
"""

from __future__ import annotations

from pathlib import Path

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.errors import ConfigError
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.records import record

SECCOMP_PROFILES = Path("/var/lib/kubelet/seccomp")
"""Where `localhostProfile` names are looked up, as on other nodes."""

MASKED_PATHS = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

SAFE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
})  # fmt: skip


@record
class ImageUser:
    """Whom an image runs as by itself: a number, or a name that only the image can resolve, or neither (root)."""

    uid: int | None = None
    name: str = ""

    @classmethod
    def of(cls, image: pb.Image) -> ImageUser:
        """From the runtime's description of an image."""
        return cls(image.uid.value if image.HasField("uid") else None, image.username)


def effective(pod: Obj, container: Obj, field: str) -> object:
    """A field of the container's security context, or else of the pod's; None when neither has it."""
    own = (container.get("securityContext") or {}).get(field)
    return own if own is not None else pod_context(pod).get(field)


def pod_context(pod: Obj) -> Obj:
    """`spec.securityContext`, {} when absent."""
    return pod["spec"].get("securityContext") or {}


def common_user(pod: Obj) -> int | None:
    """The user all containers are told to run as, None when there is none (the kubelet's `FsUserFrom`)."""
    spec = pod["spec"]
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    users = {effective(pod, container, "runAsUser") for container in containers}
    user = users.pop() if len(users) == 1 else None
    return user if isinstance(user, int) else None


def forbidden_sysctls(pod: Obj) -> list[str]:
    """Names of sysctls that are not namespaced or not harmless; a pod with one is refused."""
    return [entry["name"] for entry in pod_context(pod).get("sysctls") or () if entry["name"] not in SAFE_SYSCTLS]


def check_non_root(pod: Obj, container: Obj, user: ImageUser) -> None:
    """`runAsNonRoot`. Raises ConfigError with the kubelet's words."""
    if not effective(pod, container, "runAsNonRoot"):
        return
    where = f'(pod: "{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})", container: {container["name"]})'
    wanted = effective(pod, container, "runAsUser")
    if wanted is not None:
        if wanted == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
    elif user.uid is None and user.name:
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({user.name}), cannot verify user is "
            f"non-root {where}"
        )
    elif not user.uid:
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")


def container_security(pod: Obj, container: Obj, user: ImageUser) -> pb.LinuxContainerSecurityContext:
    """Everything but what `check_non_root` refuses. Raises ConfigError."""
    own: Obj = container.get("securityContext") or {}
    privileged = bool(own.get("privileged"))
    capabilities = own.get("capabilities") or {}
    context = pb.LinuxContainerSecurityContext(
        privileged=privileged,
        namespace_options=namespaces(pod),
        readonly_rootfs=bool(own.get("readOnlyRootFilesystem")),
        supplemental_groups=groups(pod),
        no_new_privs=own.get("allowPrivilegeEscalation") is False,
        capabilities=pb.Capability(
            add_capabilities=capabilities.get("add") or (), drop_capabilities=capabilities.get("drop") or ()
        ),
        seccomp=seccomp(effective(pod, container, "seccompProfile"), privileged),
    )
    _set_user(context, pod, container, user)
    if own.get("procMount") != "Unmasked" and not privileged:
        context.masked_paths.extend(MASKED_PATHS)
        context.readonly_paths.extend(READONLY_PATHS)
    _set_apparmor(context, effective(pod, container, "appArmorProfile"))
    return context


def _set_user(context: pb.LinuxContainerSecurityContext, pod: Obj, container: Obj, user: ImageUser) -> None:
    wanted, group = effective(pod, container, "runAsUser"), effective(pod, container, "runAsGroup")
    if isinstance(wanted, int):
        context.run_as_user.value = wanted
    elif user.uid is not None:
        context.run_as_user.value = user.uid
    elif user.name:
        context.run_as_username = user.name
    elif isinstance(group, int):
        context.run_as_user.value = 0  # the runtime takes a group only together with a user
    if isinstance(group, int):
        context.run_as_group.value = group


def groups(pod: Obj) -> list[int]:
    """fsGroup and supplementalGroups."""
    context = pod_context(pod)
    wanted = [context["fsGroup"]] if context.get("fsGroup") is not None else []
    return [*wanted, *(context.get("supplementalGroups") or ())]


def namespaces(pod: Obj) -> pb.NamespaceOption:
    """Which namespaces are the machine's, the pod's or the container's own."""
    spec = pod["spec"]
    shared = pb.POD if spec.get("shareProcessNamespace") else pb.CONTAINER
    return pb.NamespaceOption(
        network=pb.NODE if spec.get("hostNetwork") else pb.POD,
        pid=pb.NODE if spec.get("hostPID") else shared,
        ipc=pb.NODE if spec.get("hostIPC") else pb.POD,
    )


def seccomp(profile: object, privileged: bool = False) -> pb.SecurityProfile:
    """A seccomp profile; none means unconfined, and so does a privileged container."""
    if not isinstance(profile, dict) or privileged or profile.get("type") == "Unconfined":
        return pb.SecurityProfile(profile_type=pb.SecurityProfile.Unconfined)
    if profile.get("type") == "RuntimeDefault":
        return pb.SecurityProfile(profile_type=pb.SecurityProfile.RuntimeDefault)
    name = Path(str(profile.get("localhostProfile") or ""))
    path = SECCOMP_PROFILES / name
    if name.is_absolute() or ".." in name.parts or not path.is_file():
        raise ConfigError(f"cannot load seccomp profile {str(name)!r}: no such file below {SECCOMP_PROFILES}")
    return pb.SecurityProfile(profile_type=pb.SecurityProfile.Localhost, localhost_ref=str(path))


def _set_apparmor(context: pb.LinuxContainerSecurityContext, profile: object) -> None:
    """AppArmor only where the kernel has it; asking for a named profile elsewhere is refused."""
    if not isinstance(profile, dict):
        return
    available = Path("/sys/module/apparmor").exists()
    if profile.get("type") == "Localhost" and not available:
        raise ConfigError("AppArmor is not enabled on this machine")
    if available:
        kinds = pb.SecurityProfile
        types = {"RuntimeDefault": kinds.RuntimeDefault, "Unconfined": kinds.Unconfined, "Localhost": kinds.Localhost}
        context.apparmor.profile_type = types[str(profile.get("type"))]
        context.apparmor.localhost_ref = str(profile.get("localhostProfile") or "")
