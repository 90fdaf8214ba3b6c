"""Where the service of an APIService leads: addresses to try, or what is wrong with it in Kubernetes' words. Pure.

Requests go to the endpoints themselves, as with kube-apiserver's `--enable-aggregator-routing`: so they need no service
proxy on this machine. Source: `kube-aggregator/pkg/controllers/status/remote`, `apiserver/pkg/util/proxy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skerry.engine.api.aggregation.remote import RemoteApi
from skerry.kube.authority import host_and_port
from skerry.kube.objects import Obj

SERVICE_NAME = "kubernetes.io/service-name"


class Verdict(NamedTuple):
    """What the condition Available is to say."""

    status: str
    reason: str
    message: str


PASSED = Verdict("True", "Passed", "all checks passed")


def addresses(remote: RemoteApi, service: Obj | None, slices: Sequence[Obj]) -> list[str] | Verdict:
    """host:port of every endpoint that is ready. `slices`: those of the service."""
    if service is None:
        return _no("ServiceNotFound", f'service/{remote.service} in "{remote.namespace}" is not present')
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return [f"{spec['externalName']}:{remote.port}"]
    port = next((one for one in spec.get("ports") or () if one["port"] == remote.port), None)
    if port is None:
        message = f'service/{remote.service} in "{remote.namespace}" is not listening on port {remote.port}'
        return _no("ServicePortError", message)
    if not slices:
        message = f'cannot find endpointslices for service/{remote.service} in "{remote.namespace}"'
        return _no("EndpointsNotFound", message)
    name = port.get("name") or ""
    found = [address for one in slices for address in _ready(one, name)]
    if found:
        return found
    where = f'endpointslices for service/{remote.service} in "{remote.namespace}"'
    return _no("MissingEndpoints", f'{where} have no addresses with port name "{name}"')


def _ready(endpoint_slice: Obj, port_name: str) -> list[str]:
    numbers = [
        port["port"]
        for port in endpoint_slice.get("ports") or ()
        if (port.get("name") or "") == port_name and port.get("port")
    ]
    return [
        host_and_port(ip, number)
        for endpoint in endpoint_slice.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for ip in endpoint.get("addresses") or ()
        for number in numbers
    ]


def _no(reason: str, message: str) -> Verdict:
    return Verdict("False", reason, message)
