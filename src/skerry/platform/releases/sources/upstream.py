"""What was fetched for a release from upstream, as its status has it. Pure. Contract: `base.upstreams`."""

from __future__ import annotations

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, namespace_of
from skerry.platform.base.upstreams import FETCHED, Upstream, fetched_of
from skerry.platform.releases.charts import Chart
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.sources.charts import VERSION


def fetched_chart(release: Obj, upstream: Upstream, name: str) -> Chart:
    """A chart, or the files of one that will be made and called `name`. Raises Unready: nothing is there for what the
    release says now. That upstream does not answer is no reason once something is."""
    fetched = fetched_of(release)
    if fetched.get("key") == upstream.key and fetched.get("archive"):
        is_chart = upstream.content == "Chart"
        name, version = (str(fetched["name"]), str(fetched["version"])) if is_chart else (name, VERSION)
        return Chart(name, version, namespace_of(release), str(fetched["archive"]), str(fetched["digest"]))
    told = condition_of(release, FETCHED)
    if fetched.get("tried") == upstream.key and told is not None and told["status"] == "False":
        raise Unready(told["reason"], told["message"])
    raise Unready("SourcePending", f"{upstream.url} is being fetched")
