"""Forwarding is given back as it was, and interfaces that were there stay hosts' ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

_SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from skerry.engine.network.forwarding import release, switch_on
from tests.support.api import engine_config

def state():
    return [Path("/proc/sys/net", name).read_text().strip() for name in
            ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv6/conf/v0/forwarding", "ipv6/conf/v1/forwarding")]

Path("/proc/sys/net/ipv6/conf/v1/forwarding").write_text("1")
one = engine_config(Path(sys.argv[1]))
two = replace(one, instance="7e58", pod_cidr6="fd00:1::/64")
before = state()
switch_on(one); print(state())
switch_on(two); print(state())
release(two); print(state())
release(one); print(state() == before)
print(sorted(Path(sys.argv[1]).iterdir()))
"""


def test_each_claims_the_last_gives_back(tmp_path: Path) -> None:
    prepare = "ip link add v0 type veth peer name v1; exec"
    command = ["unshare", "--net", "sh", "-c", f'{prepare} "$@"', "sh", sys.executable, "-c", _SCRIPT, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": _path()}
    )
    assert done.stdout.splitlines() == [
        "['1', '0', '0', '1']",
        "['1', '1', '0', '1']",
        "['1', '0', '0', '1']",
        "True",
        "[]",
    ], done.stderr


def _path() -> str:
    return os.pathsep.join(sys.path)
