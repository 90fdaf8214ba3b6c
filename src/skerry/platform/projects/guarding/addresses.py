"""Which addresses members may take, and which they may have an Ingress controller reach for them.

A controller asks apps as the machine does: past the policies that isolate projects, and past the sign-on in front of an
app. So a Service of type ExternalName, and `auth-url`, name nothing of another project. And nobody gets requests for
the platform's own names, or for any: browsers do not tell ports apart when they send cookies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import MANAGER, NAMESPACE, Context
from skerry.platform.projects.guarding.conditions import IN_PROJECTS, NO_OPERATOR, rule
from skerry.platform.projects.guarding.whose import Whose

_NGINX = "nginx.ingress.kubernetes.io"
_ASKED, _ALIAS = f"{_NGINX}/auth-url", f"{_NGINX}/server-alias"
_PLATFORM = f"{MANAGER}.{NAMESPACE}.svc.cluster.local"
_OUTSIDE: Obj = {
    "name": "outside",
    "expression": "(has(object.spec.externalIPs) && size(object.spec.externalIPs) > 0) || "
    "object.spec.?type.orValue('') == 'ExternalName'",
}
_MARKED = (
    f"has(object.metadata.annotations) && ['{_ASKED}', '{_ALIAS}'].exists(one, one in object.metadata.annotations)"
)


class AddressGuard:
    """Reads which namespaces are whose."""

    def __init__(self, context: Context) -> None:
        self._whose = Whose(context)
        own = {*context.settings.names, urlsplit(context.settings.url).hostname or ""}
        self._own = frozenset(one.lower() for one in own if one and not _is_address(one))

    def hooks(self) -> Sequence[Hook]:
        """For the capability."""
        services = rule("", ["services"], "CREATE", "UPDATE")
        ingresses = rule("networking.k8s.io", ["ingresses"], "CREATE", "UPDATE")
        return [
            _hook("project-addresses", self.judge_service, services, _OUTSIDE),
            _hook("project-hosts", self.judge_ingress, ingresses, _suspicious(self._own)),
        ]

    async def judge_service(self, review: Review) -> Verdict:
        """A Service with spec.externalIPs, or that is another name."""
        name, spec = name_of(review.object), review.object["spec"]
        if spec.get("externalIPs"):
            return Verdict(
                f"service {name}: spec.externalIPs would take over addresses of others; use an Ingress, "
                "or type LoadBalancer"
            )
        return await self._judge_target(review, f"service {name}: spec.externalName", spec["externalName"])

    async def judge_ingress(self, review: Review) -> Verdict:
        """Its hosts, and whom it has asked."""
        name = name_of(review.object)
        for host in hosts(review.object):
            if not host:
                return Verdict(
                    f"ingress {name}: an Ingress of a project needs a host in each rule and no defaultBackend: what "
                    "answers at every name, the platform's among them, is for operators"
                )
            if covered := sorted(one for one in self._own if covers(host, one)):
                return Verdict(
                    f"ingress {name}: host {host} takes the platform's own name {covered[0]}: browsers would send "
                    "there what people are signed in with here. Take another name"
                )
        asked = annotations_of(review.object).get(_ASKED, "")
        return await self._judge_target(review, f"ingress {name}: {_ASKED}", _host_of(asked)) if asked else ADMITTED

    async def _judge_target(self, review: Review, what: str, host: str) -> Verdict:
        place = namespace_in(host)
        if place is None or host.rstrip(".").lower() == _PLATFORM or place == review.namespace:
            return ADMITTED
        project = await self._whose.project_of(review.namespace)
        try:
            if place and await self._whose.project_of(place) == project:
                return ADMITTED
        except NotFound:
            pass
        return Verdict(
            f"{what}: {host} is not of project {project}: an Ingress would get there past its isolation and its "
            "sign-on. Name a Service of the project, or what is outside of the cluster by its name"
        )


def hosts(ingress: Obj) -> Iterator[str]:
    """What it wants to be called, "" for everything."""
    spec = ingress["spec"]
    yield from (str(one.get("host") or "").lower() for one in spec.get("rules") or ())
    if spec.get("defaultBackend"):
        yield ""
    aliases = annotations_of(ingress).get(_ALIAS, "")
    yield from (one.strip().lower() for one in aliases.split(",") if one.strip())


def covers(host: str, name: str) -> bool:
    """Whether a host of an Ingress is this name, or a wildcard for it."""
    return host == name or (host.startswith("*.") and host[1:] == f".{name.partition('.')[2]}")


def namespace_in(host: str) -> str | None:
    """The namespace of a name of the cluster's own; "" where none is named, as by an address; None: it is outside."""
    name = host.rstrip(".").lower()
    labels = name.removesuffix(".cluster.local").split(".")
    if labels[-1] in ("svc", "pod") and len(labels) > 1:
        return labels[-2]
    return "" if _is_address(name.strip("[]")) or name.endswith(".cluster.local") or not name else None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _suspicious(own: frozenset[str]) -> Obj:
    """CEL that spares most Ingresses the question."""
    taken = sorted({*own, *(f"*.{one.partition('.')[2]}" for one in own if "." in one)})
    listed = ", ".join(f"'{one}'" for one in taken)
    rules = f"object.spec.?rules.orValue([]).exists(rule, rule.?host.orValue('') == '' || rule.host in [{listed}])"
    return {"name": "suspicious", "expression": f"has(object.spec.defaultBackend) || {rules} || ({_MARKED})"}


def _hook(name: str, judge: Callable[[Review], Awaitable[Verdict]], wanted: Obj, condition: Obj) -> Hook:
    return Hook(name, judge, (wanted,), namespaces=IN_PROJECTS, conditions=(*NO_OPERATOR, condition))
