"""Check "apply": what the API says to a trial (a dry run of server-side apply), in its own words.

It knows what no schema shows: rules over several fields, fields that cannot change, what webhooks and quotas refuse,
what who asks may not do. It is asked about objects that nothing else has refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.checking.facts import Facts
from skerry.checking.report import Finding, title
from skerry.kube.objects import Obj


def applied(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """What the API refuses."""
    for obj in objects:
        if refusal := facts.refusals.get(facts.key(obj)):
            yield Finding("Error", "apply", title(obj), "", refusal)
