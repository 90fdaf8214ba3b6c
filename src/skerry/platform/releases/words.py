"""What Helm complains of, in words for whoever wants the release. Pure."""

from __future__ import annotations

import re

_NOT_ITS_FAULT = re.compile(
    r"connection refused|connection reset by peer|no such host|TLS handshake timeout|i/o timeout|Unauthorized$"
    r"|unexpected EOF|http2: |etcdserver: |the server is currently unable to handle the request",
    re.MULTILINE,
)
_TOO_MUCH = re.compile(r"^(?:fatal error: .*(?:out of memory|cannot allocate)|SIGXCPU)", re.MULTILINE)
_LONGEST = 4000


def complaint(said: str) -> str:
    """The error in what Helm wrote, without its noise."""
    if _TOO_MUCH.search(said):
        return "it takes more memory or processor time than helm is given: the chart renders too much"
    lines = [one.strip() for one in said.splitlines() if one.strip()]
    errors = [one for one in lines if one.startswith("Error: ")]
    begin = lines.index(errors[0]) if errors else 0
    text = "; ".join(line.removeprefix("Error: ") for line in lines[begin:] if not _is_log(line))
    return text.replace(":; ", ": ")[:_LONGEST] or "helm failed and does not say why"


def is_of_the_cluster(said: str) -> bool:
    """Whether the cluster did not answer: nothing is wrong with the release, and it is tried again."""
    return bool(_NOT_ITS_FAULT.search(said))


def _is_log(line: str) -> bool:
    return line.startswith(("level=", "time=")) or bool(re.match(r"[IWE]\d{4} ", line))
