"""What a release is to be, as one thing that can be compared: chart, values and where. Pure.

Its digest is noted on Helm's revisions and in the status, so that a release which is as it is wanted costs nothing,
and what failed is not tried for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of
from skerry.kube.records import record
from skerry.platform.releases.accounts import Account
from skerry.platform.releases.charts import Chart
from skerry.platform.releases.types import RECOVER, ReleaseSpec, SourceType

_LENGTH = 40
"""Characters of a digest: labels have at most 63."""


@record
class Target:
    """Whose release it is, and where it goes."""

    release: Obj
    spec: ReleaseSpec
    account: Account

    @property
    def name(self) -> str:
        """Helm's."""
        return self.spec.release_name or name_of(self.release)

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return self.account.namespace

    @property
    def owner(self) -> tuple[str, str]:
        """Whose Helm's revisions are."""
        return namespace_of(self.release), name_of(self.release)

    @property
    def asked_again(self) -> str:
        """Changes whenever somebody asks for another try."""
        return annotations_of(self.release).get(RECOVER, "")


@record
class Wanted:
    """What is to run."""

    chart: Chart
    values: Sequence[str]
    """YAML or JSON; later ones win."""
    source: SourceType | None = None
    files: Sequence[tuple[str, str]] = ()
    """Of a release that comes from a ConfigMap: paths and contents. Of one from git they are in `chart.archive`."""
    revision: str = ""
    """Upstream's, where it comes from no catalogue; a new one that changes nothing is no reason to do anything."""

    @property
    def digest(self) -> str:
        """Equal exactly when the same would be applied."""
        chart = [self.chart.name, self.chart.version, self.chart.digest or self.chart.archive]
        return digest_of([chart, list(self.values), self.source, [list(one) for one in self.files]])


def digest_of(said: object) -> str:
    """Of anything that JSON can say."""
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:_LENGTH]


def attempt(digest: str, target: Target) -> str:
    """What `status.attempted` says of a try: another one is due when this is another."""
    return f"{digest}:{digest_of(target.asked_again)[:8]}" if target.asked_again else digest
