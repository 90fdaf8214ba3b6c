"""In which order groups and their versions are shown, wherever they are served. Pure.

By the priorities of their APIServices; what has none yet keeps its place before custom groups. Kubernetes' own group of
APIServices comes first. Source: kube-aggregator, `pkg/apis/apiregistration/v1/helper/sort.go` and `handler_apis.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skerry.engine.schema.custom.versions import rank

_FIRST, _UNKNOWN = 30_000, 1_500
_OWN = "apiregistration.k8s.io"


def in_order(
    here: Mapping[str, list[str]],
    elsewhere: Iterable[tuple[str, str]],
    priorities: Mapping[tuple[str, str], tuple[int, int]],
) -> dict[str, list[str]]:
    """Every group's versions, the preferred one first. `priorities`: of group and of version; higher comes first."""
    found: dict[str, dict[str, None]] = {group: dict.fromkeys(versions) for group, versions in here.items()}
    for group, version in elsewhere:
        found.setdefault(group, {})[version] = None
    of_group: dict[str, int] = {_OWN: _FIRST}
    for (group, _), priority in priorities.items():
        of_group[group] = max(of_group.get(group, 0), priority[0])

    def version_order(group: str, version: str) -> tuple[int, tuple[int, int, int]]:
        return priorities.get((group, version), (0, 0))[1], rank(version)

    groups = sorted(found, key=lambda group: (-of_group.get(group, _UNKNOWN), group if group in of_group else ""))
    return {
        group: sorted(found[group], key=lambda version: version_order(group, version), reverse=True) for group in groups
    }
