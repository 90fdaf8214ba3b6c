"""What `/metrics` says, in Prometheus' text format: requests by verb, resource and code; the store's revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from skerry.engine.api.request import Request

_REQUESTS = "apiserver_request_total"


class Metrics:
    """Counters. `gauges`: further values, read when somebody asks."""

    def __init__(self, gauges: Mapping[str, Callable[[], float]]) -> None:
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._gauges = gauges

    def count(self, request: Request | None, code: int) -> None:
        """One request answered. What only the client calls so has no name here: such names would fill the memory."""
        target = request.target if request is not None else None
        if request is None or target is None or target.kind.elsewhere:
            self._requests["", "", "", code] += 1
            return
        kind, subresource = target.kind, target.subresource
        if subresource and subresource not in kind.subresources:
            subresource = ""
        self._requests[request.verb, kind.resource.group_resource, subresource, code] += 1

    def text(self) -> str:
        """The page."""
        lines = [f"# HELP {_REQUESTS} Requests answered.", f"# TYPE {_REQUESTS} counter"]
        for (verb, resource, subresource, code), count in sorted(self._requests.items()):
            labels = f'verb="{verb}",resource="{resource}",subresource="{subresource}",code="{code}"'
            lines.append(f"{_REQUESTS}{{{labels}}} {count}")
        for name, read in self._gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {read()}"]
        return "\n".join(lines) + "\n"
