"""What pods ask, worked out once for all pods made alike: a thousand replicas share one `Template`.

Everything that decides where a pod can go is part of the template's key, so two pods with the same template are
interchangeable for the scheduler; `ranking` builds on that. Names and volumes are not part of it, labels only with
rules about other pods.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson

from skerry.engine.controllers.scheduler.node_affinity import required_names
from skerry.engine.controllers.scheduler.requests import UNSTATED, pod_requests
from skerry.engine.controllers.scheduler.terms import Spread, Term, Wish, required_terms, spread_of, wishes_of
from skerry.kube.host_ports import HostPort, host_ports
from skerry.kube.objects import Obj, is_deleting, labels_of, namespace_of, uid_of
from skerry.kube.records import record

_REMEMBERED = 1024


@dataclass(frozen=True, eq=False)
class Template:
    """Compared by identity: `facts_of` gives pods made alike the same one."""

    spec: Obj
    """Of the first such pod."""
    requests: Mapping[str, int]
    nonzero: tuple[int, int]
    """Millicores and bytes, with defaults for what is not stated: for comparing nodes only."""
    ports: tuple[HostPort, ...]
    priority: int
    names: frozenset[str] | None
    """The only nodes possible, by name; None when any may do."""
    affinity: tuple[Term, ...]
    anti_affinity: tuple[Term, ...]
    wishes: tuple[Wish, ...]
    hard_spread: tuple[Spread, ...]
    soft_spread: tuple[Spread, ...]

    @cached_property
    def is_social(self) -> bool:
        """Whether other pods' coming and going may change where this one can or should go."""
        return bool(self.affinity or self.anti_affinity or self.wishes or self.hard_spread or self.soft_spread)

    @cached_property
    def is_choosy(self) -> bool:
        """Whether it says something about pods that come after it."""
        return bool(self.affinity or self.anti_affinity or self.wishes)


@record
class PodFacts:
    """What of a pod matters when placing it or others."""

    pod: Obj
    template: Template

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return uid_of(self.pod)

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return namespace_of(self.pod)

    @property
    def labels(self) -> dict[str, str]:
        """The pod's labels."""
        return labels_of(self.pod)

    @property
    def priority(self) -> int:
        """`spec.priority`."""
        return self.template.priority

    @property
    def is_deleting(self) -> bool:
        """Whether it was asked to go."""
        return is_deleting(self.pod)


_templates: OrderedDict[bytes, Template] = OrderedDict()


def facts_of(pod: Obj) -> PodFacts:
    """Work the facts out. Raises ValueError for quantities that are none."""
    key = _key(pod)
    template = _templates.get(key)
    if template is None:
        template = _templates[key] = _template(pod)
        if len(_templates) > _REMEMBERED:
            _templates.popitem(last=False)
    else:
        _templates.move_to_end(key)
    return PodFacts(pod, template)


def _key(pod: Obj) -> bytes:
    spec = pod["spec"]
    affinity = spec.get("affinity")
    rules = spec.get("topologySpreadConstraints")
    own = None
    if rules or (affinity and (affinity.get("podAffinity") or affinity.get("podAntiAffinity"))):
        own = (namespace_of(pod), labels_of(pod))
    get = spec.get
    return orjson.dumps(
        (
            [_asks(container) for container in get("containers") or ()],
            [(one.get("restartPolicy"), _asks(one)) for one in get("initContainers") or ()],
            (get("nodeSelector"), affinity, get("tolerations"), rules, own),
            (get("priority"), get("overhead"), get("resources")),
        )
    )


def _asks(container: Obj) -> tuple[object, ...]:
    return container.get("resources"), container.get("ports"), container.get("image")


def _template(pod: Obj) -> Template:
    spec, namespace, labels = pod["spec"], namespace_of(pod), labels_of(pod)
    usual = pod_requests(pod, UNSTATED)
    return Template(
        spec=spec,
        requests={name: value for name, value in pod_requests(pod).items() if value > 0},
        nonzero=(usual["cpu"], usual["memory"]),
        ports=tuple(host_ports(pod)),
        priority=int(spec.get("priority") or 0),
        names=required_names(spec),
        affinity=required_terms(spec, "podAffinity", namespace, labels),
        anti_affinity=required_terms(spec, "podAntiAffinity", namespace, labels),
        wishes=wishes_of(spec, namespace, labels),
        hard_spread=spread_of(spec, "DoNotSchedule", labels),
        soft_spread=spread_of(spec, "ScheduleAnyway", labels),
    )
