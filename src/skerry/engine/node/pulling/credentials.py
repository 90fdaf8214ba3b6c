"""Registry credentials from `imagePullSecrets` (`pkg/credentialprovider`): docker's two JSON formats. Pure.

Nothing here is logged; a secret that cannot be read counts as absent, as in Kubernetes.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.kube.objects import Obj

_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


def registry_of(image: str) -> str:
    """The registry host of an image reference: "docker.io" when it names none."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else "docker.io"


def credentials(image: str, secrets: Iterable[Obj]) -> list[pb.AuthConfig]:
    """What to try for an image: the longest matching registry path first."""
    found: list[tuple[int, pb.AuthConfig]] = []
    for secret in secrets:
        for server, entry in _entries(secret).items():
            path = _plain(server)
            if _matches(path, image):
                auth = _auth(entry)
                if auth is not None:
                    found.append((len(path), auth))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [auth for _, auth in found]


def _entries(secret: Obj) -> dict[str, Obj]:
    kind = secret.get("type", "")
    encoded = (secret.get("data") or {}).get(_KEYS.get(kind, ""))
    if not encoded:
        return {}
    try:
        parsed = json.loads(base64.b64decode(encoded))
    except (ValueError, binascii.Error):
        return {}
    if kind == "kubernetes.io/dockerconfigjson" and isinstance(parsed, dict):
        parsed = parsed.get("auths")
    return parsed if isinstance(parsed, dict) else {}


def _plain(server: str) -> str:
    """ "https://index.docker.io/v1/" -> "docker.io"."""
    host = server.split("://", 1)[-1].rstrip("/")
    for version in ("/v1", "/v2"):
        host = host.removesuffix(version)
    registry, slash, path = host.partition("/")
    return f"docker.io{slash}{path}" if registry in _HUB else host


def _matches(path: str, image: str) -> bool:
    registry = registry_of(image)
    full = image if image.startswith(f"{registry}/") else f"{registry}/{image}"
    wanted_host, _, wanted_path = path.partition("/")
    host, _, rest = full.partition("/")
    return _host_matches(wanted_host, host) and (not wanted_path or f"{rest}/".startswith(f"{wanted_path}/"))


def _host_matches(pattern: str, host: str) -> bool:
    """Equal, or `*.example.org` by label."""
    if pattern == host:
        return True
    labels, parts = pattern.split("."), host.split(".")
    return len(labels) == len(parts) and all(label in ("*", part) for label, part in zip(labels, parts, strict=True))


def _auth(entry: Obj) -> pb.AuthConfig | None:
    """Without the server's address, as the kubelet sends it: containerd takes one that has no scheme, as most have, for
    another server's and leaves the account out.
    """
    username, password = entry.get("username", ""), entry.get("password", "")
    if entry.get("auth"):
        try:
            username, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
        except (ValueError, binascii.Error):
            return None
    return pb.AuthConfig(
        username=username,
        password=password,
        identity_token=entry.get("identitytoken", ""),
        registry_token=entry.get("registrytoken", ""),
    )
