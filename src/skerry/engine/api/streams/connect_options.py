"""What a stream asks for, as the object admission sees: PodExecOptions, PodAttachOptions, PodPortForwardOptions.

Source: `pkg/apis/core/v1/conversion.go` (the query parameters) and `k8s.io/api/core/v1`.
"""

from __future__ import annotations

import re

from skerry.engine.api.streams.targets import first, flag, parse_query
from skerry.kube.objects import Obj

_KINDS = {"exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"}
POD_STREAMS = frozenset(_KINDS)
"""Subresources of pods that are streams both ways."""
_PORT = re.compile(r"[0-9]{1,9}")
_STREAMS = ("stdin", "stdout", "stderr", "tty")


def connect_options(subresource: str, query_string: bytes) -> Obj:
    """The options of `pods/<subresource>`; what is not asked for is left out."""
    query = parse_query(query_string)
    options: Obj = {"kind": _KINDS[subresource], "apiVersion": "v1"}
    if subresource == "portforward":
        texts = [text for value in query.get("ports", ()) for text in value.split(",")]
        return {**options, "ports": [int(text) for text in texts if _PORT.fullmatch(text)]}
    options |= {name: True for name in _STREAMS if flag(query, name)}
    if container := first(query, "container"):
        options["container"] = container
    if subresource == "exec":
        options["command"] = list(query.get("command", ()))
    return options
