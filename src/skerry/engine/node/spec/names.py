"""What a pod is called inside, and its /etc/hosts (`pkg/kubelet/util/hostname.go`, `kubelet_pods.go`)."""

from __future__ import annotations

import re

from skerry.engine.node.errors import ConfigError
from skerry.kube.objects import Obj, name_of, namespace_of

LONGEST_HOSTNAME = 63
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")

_FIXED_HOSTS = (
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
)


def short_hostname(pod: Obj) -> str:
    """`spec.hostnameOverride` or `spec.hostname`, or the pod's name cut to what the kernel takes."""
    if override := pod["spec"].get("hostnameOverride"):
        return str(override)
    hostname = str(pod["spec"].get("hostname") or "")
    if hostname:
        if not _LABEL.match(hostname) or len(hostname) > LONGEST_HOSTNAME:
            raise ConfigError(f"pod hostname {hostname!r} is not a valid DNS label")
        return hostname
    return name_of(pod)[:LONGEST_HOSTNAME].rstrip("-.")


def domain(pod: Obj, cluster_domain: str) -> str:
    """The pod's domain when it has a subdomain and no hostname that stands alone, else ""."""
    subdomain = pod["spec"].get("subdomain") if not pod["spec"].get("hostnameOverride") else None
    return f"{subdomain}.{namespace_of(pod)}.svc.{cluster_domain}" if subdomain else ""


def hostname(pod: Obj, cluster_domain: str) -> str:
    """What `hostname` prints in the pod; "" in the machine's own network, as the runtime wants it there."""
    if pod["spec"].get("hostNetwork"):
        return ""
    short, within = short_hostname(pod), domain(pod, cluster_domain)
    if not (pod["spec"].get("setHostnameAsFQDN") and within):
        return short
    full = f"{short}.{within}"
    if len(full) > LONGEST_HOSTNAME + 1:
        raise ConfigError(f"failed to construct FQDN from pod hostname and cluster domain, FQDN {full} is too long")
    return full


def hosts_file(pod: Obj, ips: tuple[str, ...], cluster_domain: str, machine_hosts: str) -> str:
    """The pod's /etc/hosts. `machine_hosts` is the machine's own, used in its network."""
    aliases = "".join(
        f"{alias['ip']}\t{chr(9).join(alias.get('hostnames') or ())}\n"
        for alias in pod["spec"].get("hostAliases") or ()
    )
    if aliases:
        aliases = f"\n# Entries added by HostAliases.\n{aliases}"
    if pod["spec"].get("hostNetwork"):
        return f"# Kubernetes-managed hosts file (host network).\n{machine_hosts}{aliases}"
    short, within = short_hostname(pod), domain(pod, cluster_domain)
    own = "".join(f"{ip}\t{f'{short}.{within}{chr(9)}' if within else ''}{short}\n" for ip in ips)
    fixed = "\n".join(_FIXED_HOSTS)
    return f"# Kubernetes-managed hosts file.\n{fixed}\n{own}{aliases}"
