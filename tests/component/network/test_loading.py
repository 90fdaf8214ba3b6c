"""Changes of the table in a real kernel: step by step it becomes what it would be if it were loaded as a whole."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator

import pytest

from skerry.engine.network.loading import change, whole
from skerry.engine.network.services import Backend, Forward
from skerry.engine.network.tables import table_of
from tests.component.network.netns import own_network
from tests.unit.network.test_tables import family

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


def nft(*words: str, text: str = "") -> str:
    done = subprocess.run(["nft", *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    return done.stdout


def rules() -> list[str]:
    """The table, without the order of its parts."""
    parts = nft("-s", "list", "table", *family().table.split()).split("\n\t}")
    return sorted(" ".join(part.split()) for part in parts)


def some_forward(name: int, choose: random.Random) -> Forward:
    numbers = choose.sample(range(2, 9), choose.randint(0, 4))
    return Forward(
        name=f"svc/default/s{name}/tcp-80",
        protocol="tcp",
        backends=tuple(sorted(Backend(f"10.64.0.{number}", 8080) for number in numbers)),
        addresses=(f"10.65.0.{20 + name}",),
        port=80,
        host_port=choose.choice((0, 30080 + name)),
        affinity_seconds=choose.choice((0, 0, 60, 90)),
    )


@pytest.mark.parametrize("seed", range(4))
def test_changes_lead_where_a_whole_load_leads(seed: int) -> None:
    choose = random.Random(seed)
    forwards: dict[int, Forward] = {}
    loaded = table_of(family(), [])
    nft("-f", "-", text=whole(family(), loaded))
    for _ in range(12):
        for name in choose.sample(range(6), 2):
            if name in forwards and choose.random() < 0.3:
                del forwards[name]
            else:
                forwards[name] = some_forward(name, choose)
        wanted = table_of(family(), list(forwards.values()))
        nft("-f", "-", text=change(family(), loaded, wanted))
        loaded, stepped = wanted, rules()
        nft("-f", "-", text=whole(family(), wanted))
        assert stepped == rules()


def test_what_the_kernel_remembers_survives_a_change() -> None:
    one = Forward("svc/default/a/tcp-80", "tcp", (Backend("10.64.0.2", 80),), ("10.65.0.9",), 80, affinity_seconds=60)
    other = Forward("svc/default/b/tcp-80", "tcp", (Backend("10.64.0.3", 80),), ("10.65.0.8",), 80)
    before, after = table_of(family(), [one]), table_of(family(), [one, other])
    nft("-f", "-", text=whole(family(), before))
    clients = next(iter(before.affinity))
    nft("add", "element", *family().table.split(), clients, "{ 10.64.0.77 }")
    nft("-f", "-", text=change(family(), before, after))
    assert "10.64.0.77" in nft("list", "set", *family().table.split(), clients)
