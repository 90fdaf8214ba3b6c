"""The rendered files at work: real haproxy, real keepalived, and what clients see when something dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.component.front_door.site import VIRTUAL, Site, site
from tests.support.waiting import eventually

pytestmark = pytest.mark.root


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    assert os.geteuid() == 0, "needs root"
    with site(tmp_path) as made:
        yield made


def test_every_request_finds_its_way(here: Site) -> None:
    answers = [here.ask("https://example.com/a?b=c") for _ in range(6)]
    assert {answer["server"] for answer in answers} == {"m1", "m2"}, "active servers in turn, none with a forged name"
    assert answers[0]["path"] == "/a?b=c"
    assert answers[0]["headers"]["host"] == "example.com"
    assert here.ask("https://x.apps.example.com/")["server"] in ("m1", "m2")
    assert here.ask("https://api.example.com/")["server"] in ("s1", "s2")

    claimed = here.ask("https://example.com/", "-H", "X-Forwarded-For: 1.2.3.4", "-H", "X-Forwarded-Proto: http")
    assert claimed["headers"]["x-forwarded-for"] == "10.0.1.2"
    assert claimed["headers"]["x-forwarded-proto"] == "https"

    moved = here.curl("http://example.com/a?b=c", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
    assert moved == "308 https://example.com/a?b=c"
    challenge = here.ask("http://example.com/.well-known/acme-challenge/token")
    assert (challenge["server"], challenge["path"]) == ("certbot", "/.well-known/acme-challenge/token")

    assert (
        here.curl("https://example.com/", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: nobody.example")
        == "404"
    )
    unknown = here.curl("https://other.example.org/", "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}")
    assert unknown.startswith("000"), "no certificate for names it does not have"
    uploaded = here.ask("https://example.com/", "--data-binary", f"@{sys.executable}", "-H", "Expect:")
    assert uploaded["length"] == os.path.getsize(sys.executable)


def test_a_connection_that_was_upgraded_stays_when_haproxy_reloads(here: Site) -> None:
    upgrade = "GET /echo HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n"
    script = f"""
import socket, ssl, sys
context = ssl.create_default_context(cafile={str(here.directory / "public.pem")!r})
plain = socket.create_connection(({VIRTUAL!r}, 443), 60)
connection = context.wrap_socket(plain, server_hostname="example.com").makefile("rwb")
connection.write(b"{upgrade}"); connection.flush()
while connection.readline() != b"\\r\\n": pass
for line in sys.stdin.buffer:
    connection.write(line); connection.flush()
    sys.stdout.buffer.write(connection.readline()); sys.stdout.flush()
"""
    command = here.client.inside(sys.executable, "-c", script)
    load = here.load()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as talk:
        assert talk.stdin is not None
        assert talk.stdout is not None
        talk.stdin.write("one\n")
        talk.stdin.flush()
        assert talk.stdout.readline() == "one\n"
        load.wait_for("m1", "m2")
        lb1 = here.balancers["lb1"]
        before = set(lb1.processes("haproxy"))
        lb1.run("kill", "-USR2", str(min(before)))
        eventually(lambda: set(lb1.processes("haproxy")) - before, "a new haproxy")
        load.wait_for("m1", "m2")
        talk.stdin.write("two\n")
        talk.stdin.flush()
        assert talk.stdout.readline() == "two\n", "the old process keeps what it has"
        talk.stdin.close()
    assert (load.failures(), load.repeated()) == ([], []), "a reload interrupts nothing"


def test_a_cluster_that_dies_is_replaced_by_the_other(here: Site) -> None:
    load = here.load()
    load.wait_for("m1", "m2")
    here.kill_server("m1")
    load.wait_for_only("m2")
    assert load.failures() == [], "another server takes the requests of one that died"

    here.kill_server("m2")
    load.wait_for_only("s1", "s2")  # all backups at once
    refused = len(load.failures())
    assert load.outage() < 30, load.failures()
    assert {said for _, said in load.failures()} <= {"failed 503", "failed 502"}

    here.start_server("m1")
    load.wait_for_only("m1")
    assert len(load.failures()) <= refused + 4, "going back costs nothing but what still waited for a dead server"
    print(load.said("cluster killed"))


def test_a_cluster_whose_machines_vanish_is_replaced_as_well(here: Site) -> None:
    """Nobody refuses: packets get no answer."""
    load = here.load()
    load.wait_for("m1", "m2")
    here.main.switch_off()
    begun = time.monotonic()
    load.wait_for_only("s1", "s2")
    assert time.monotonic() - begun < 60
    assert load.outage() < 30
    print(load.said("cluster vanished"))


def test_the_api_is_there_while_one_server_is(here: Site) -> None:
    for balancer in here.balancers.values():
        eventually(lambda it=balancer: "Server api-main/forged is DOWN" in here.said(it), "the forged one is found out")
    load = here.load("kubernetes", 7443, here.cluster.pem)
    load.wait_for("a1", "a2")
    here.kill_server("a1")
    load.wait_for_only("a2")
    here.start_server("a1")
    load.wait_for("a1", "a2")
    answered = {said for _, said in load.answers() if not said.startswith("failed")}
    assert answered == {"a1", "a2"}, "a server that shows another authority's certificate is never asked"
    # what was being answered when its server was killed is lost: nobody but the client may repeat it
    assert len(load.failures()) <= 4, load.failures()


def test_the_address_moves_when_a_balancer_is_switched_off(here: Site) -> None:
    load = here.load()
    load.wait_for("m1", "m2")
    begun = time.monotonic()
    here.balancers["lb1"].switch_off()
    eventually(lambda: here.holder() == "lb2", "lb2 has the virtual address")
    moved = time.monotonic() - begun
    load.wait_for("m1", "m2")
    eventually(lambda: max(when for when, _ in load.answers()) > begun + moved + 1, "requests after it")
    assert moved < 30
    assert len(load.failures()) <= 8, (
        load.failures()
    )  # four clients: those being answered, and once more while it moves
    print(load.said(f"balancer off, address moved after {moved:.1f} s"))


def test_the_address_moves_when_haproxy_dies_and_comes_back(here: Site) -> None:
    load = here.load()
    load.wait_for("m1", "m2")
    lb1 = here.balancers["lb1"]
    begun = time.monotonic()
    lb1.kill("haproxy")
    eventually(lambda: here.holder() == "lb2", "lb2 has the virtual address")
    moved = time.monotonic() - begun
    assert moved < 30
    load.wait_for_only("m1", "m2")
    here.start_haproxy(lb1)
    eventually(lambda: here.holder() == "lb1", "lb1 has it again: it comes first")
    load.wait_for_only("m1", "m2")
    print(load.said(f"haproxy killed, address moved after {moved:.1f} s"))


def test_the_address_stays_when_every_balancer_finds_everything_dead(here: Site) -> None:
    for machine in (here.main, here.spare):
        machine.switch_off()
    for balancer in here.balancers.values():
        eventually(lambda it=balancer: not here.healthy(it), f"{balancer.name} reaches nobody")
    # keepalived says so when a script changed its mind; both have, and the first is still the first
    for balancer in here.balancers.values():
        eventually(lambda it=balancer: "VRRP_Script(front_door) failed" in here.said(it), f"{balancer.name} knows")
    eventually(lambda: here.holder() == "lb1", "lb1 has the virtual address")
    assert here.curl("https://example.com/", "-o", "/dev/null", "-w", "%{http_code}") == "503"


def test_keepalived_reloads_and_its_script_is_nobodys(here: Site) -> None:
    lb1 = here.balancers["lb1"]
    keepers = lb1.processes("keepalived")
    lb1.put("/etc/keepalived/check_front_door.sh", "#!/bin/sh\nid -un > /mnt/who\n", 0o755)
    lb1.put("/mnt/who", "", 0o666)
    lb1.run("chmod", "777", "/mnt")
    lb1.run("kill", "-HUP", str(min(keepers)))
    who = eventually(lambda: lb1.run("cat", "/mnt/who"), "the script ran")  # and empties it again, each time
    assert who == "nobody\n"
    assert lb1.processes("keepalived") == keepers
    eventually(lambda: here.holder() == "lb1", "lb1 has the virtual address")


def test_nothing_is_left_of_a_site_whose_test_was_killed(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
from tests.component.front_door.site import site
with site(pathlib.Path({str(tmp_path)!r})) as made:
    print(*(machine.pid for machine in (made.client, made.main, *made.balancers.values())), flush=True)
    sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as test:
        assert test.stdout is not None
        pids = [int(word) for word in test.stdout.readline().split()]
        assert len(pids) == 4
        test.send_signal(signal.SIGKILL)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "every machine is gone")
    mark = str(tmp_path).encode()
    eventually(lambda: not any(mark in line for line in _command_lines()), "and what ran on them")


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue
