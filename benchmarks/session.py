"""One instance of the real program for a run of benchmarks, in a directory of its own; nothing of it is left behind.

Every request is authenticated, authorised by RBAC, admitted by all plug-ins, and kept in an audit log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.images import busybox_archive
from tests.support.machine import snapshot
from tests.support.program import Program

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""
"""Who did what to which object, once for every request: what most clusters keep."""
ON_DISK = "/var/tmp"  # never a tmpfs, where durable writes would cost nothing


@contextmanager
def program(platform: bool = False) -> Iterator[Program]:
    """A started program with `busybox:test` loaded, and the platform beside it if wanted. Raises RuntimeError when it
    leaves something behind."""
    before = snapshot()
    with tempfile.TemporaryDirectory(prefix="skerry-bench-", dir=ON_DISK) as directory:
        policy = Path(directory) / "audit-policy.yaml"
        policy.write_text(AUDIT_POLICY)
        started = Program(Path(directory) / "data", "--audit-policy", str(policy), platform=platform)
        try:
            started.up()
            started.skerry("image", "load", str(busybox_archive(Path(directory))))
            yield started
        finally:
            marks = started.marks()
            started.skerry("clean", "--yes", check=False)
    if left := snapshot().left_since(before, marks):
        raise RuntimeError(f"left behind: {left}")
