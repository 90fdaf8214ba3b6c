"""FrontDoors to read: the two of a talk on clusters for research, as users of Skerry write them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from skerry.cli.front_door.reading import read
from skerry.cli.front_door.resource import FrontDoor

ROOT = Path(__file__).parents[3]

# Standalone haproxy, certificates by certbot, round robin, trusted certificates of the cluster; a virtual address for
# the API, with keepalived; fail-over to a second cluster.
TALK = """
apiVersion: skerry.dev/v1alpha1
kind: FrontDoor
metadata: {name: talk}
spec:
  balancers:
  - {name: lb1, address: 10.0.1.11}
  - {name: lb2, address: 10.0.1.12}
  virtualAddress: {addresses: [10.0.1.128/24], interface: eth0, routerId: 51, passwordFile: vrrp.password}
  web:
    tls: {certificates: /etc/ssl/private/}
    challenges: {address: certbot-letsencrypt, port: 80}
    routes:
    - {name: k8s, hosts: [example.com, api.example.com], active: [k8s], backup: [second]}
  clusters:
  - name: k8s
    ingress:
      port: 32443
      tls: {caFile: /etc/ssl/backend-certs/k8s/}
      servers:
      - {name: worker01, address: 10.0.1.46}
      - {name: worker02, address: 10.0.1.55}
      - {name: worker03, address: 10.0.1.80}
    api:
      listen: 7443
      port: 7443
      tls: {caFile: /etc/ssl/backend-certs/api.pem}
      servers:
      - {name: master01, address: 10.0.1.92}
      - {name: master02, address: 10.0.1.27}
      - {name: master03, address: 10.0.1.35}
  - name: second
    ingress:
      servers:
      - {name: s3, address: 10.0.0.103}
      - {name: s4, address: 10.0.0.104}
"""

PASSWORD = "geheim12"


def document() -> dict[str, Any]:
    """The talk's, to be changed."""
    found: dict[str, Any] = copy.deepcopy(yaml.safe_load(TALK))
    return found


def door(directory: Path, changed: dict[str, Any] | None = None) -> FrontDoor:
    """The talk's FrontDoor, or a changed one, with its password file in `directory`."""
    (directory / "vrrp.password").write_text(f"{PASSWORD}\n")
    return read(changed or document(), directory)


def sections(text: str) -> dict[str, list[str]]:
    """A haproxy.cfg's lines by the section they are in."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            current = found.setdefault(line, [])
        elif line.strip():
            current.append(line.strip())
    return found
