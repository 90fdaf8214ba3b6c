"""The table's text. That the kernel does what it says is tested in tests/component/network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.family import Family, families_of
from skerry.engine.network.loading import change, whole
from skerry.engine.network.services import Backend, Forward
from skerry.engine.network.tables import table_of

TWO = (Backend("10.64.0.2", 8080), Backend("10.64.0.3", 8080))


def config(index: int = 0) -> EngineConfig:
    return EngineConfig(
        instance="ab12",
        paths=Paths(Path("/data"), Path("/run/ab12")),
        node_name="here",
        bind="127.0.0.1",
        port=6443,
        pod_cidr="10.64.0.0/16",
        service_cidr="10.65.0.0/16",
        index=index,
        node_ip="192.0.2.2",
    )


def forward(name: str = "svc/default/web/tcp-80", **more: object) -> Forward:
    fields = {"protocol": "tcp", "backends": TWO, "addresses": ("10.65.0.9",), "port": 80, **more}
    return Forward(name=name, **fields)  # type: ignore[arg-type]


def family(index: int = 0) -> Family:
    return families_of(config(index))[0]


def render(config: EngineConfig, wanted: list[Forward]) -> str:
    first = families_of(config)[0]
    return whole(first, table_of(first, wanted))


def changed(before: list[Forward], after: list[Forward]) -> str:
    return change(family(), table_of(family(), before), table_of(family(), after))


def test_the_whole_table_is_replaced_in_one_transaction() -> None:
    assert render(config(), []).startswith("table inet skerry-ab12\ndelete table inet skerry-ab12\ntable inet")


def test_order_of_the_input_does_not_matter_to_the_maps() -> None:
    one, two = forward(), forward("svc/default/api/tcp-80", addresses=("10.65.0.8",))
    assert sorted(render(config(), [one, two])) == sorted(render(config(), [two, one]))


def test_backends_by_chance_by_client_or_directly() -> None:
    random = render(config(), [forward()])
    assert "numgen random mod 2 map { 0 : 10.64.0.2 . 8080, 1 : 10.64.0.3 . 8080 }" in random
    assert "meta l4proto tcp dnat ip to 10.64.0.2:8080" in render(config(), [forward(backends=TWO[:1])])


def test_without_backends_a_port_is_refused_and_not_forwarded() -> None:
    text = render(config(), [forward(backends=(), host_port=30080)])
    assert "goto" not in text
    assert "elements = { tcp . 30080 }" in text


def test_a_port_claimed_twice_goes_to_one_of_them() -> None:
    text = render(config(), [forward(host_port=8080), forward("pod/default/a/tcp-8080", addresses=(), host_port=8080)])
    assert text.count("tcp . 8080 : goto") == 1


def test_further_instances_answer_on_their_own_loopback_address_and_their_pods_everywhere() -> None:
    lookup = "meta l4proto . th dport vmap @exposed"
    assert f"\nfib daddr type local {lookup}" in render(config(0), [])
    second = render(config(1), [])
    assert f"\nip daddr 127.0.0.2 {lookup}" in second
    assert f"\nip saddr {config(1).pod_cidr} fib daddr type local {lookup}" in second
    assert "\nfib daddr type local meta" not in second


def test_names_that_could_break_out_of_the_text_are_left_out() -> None:
    assert "evil" not in render(config(), [forward("svc/default/evil { } drop/tcp-80")])


def test_host_network_backends_are_not_hairpins() -> None:
    assert "192.0.2.2 . 192.0.2.2" not in render(config(), [forward(backends=(Backend("192.0.2.2", 6443),))])
    assert "10.64.0.2 . 10.64.0.2" in render(config(), [forward()])


def test_clients_with_affinity_are_remembered_for_each_backend() -> None:
    text = render(config(), [forward(affinity_seconds=60)])
    clients = "of/svc/default/web/tcp-80/10.64.0.2-8080/60"
    assert f"set {clients} {{ type ipv4_addr; flags dynamic,timeout; timeout 60s; }}" in text
    assert f"ip saddr @{clients} goto to/svc/default/web/tcp-80/10.64.0.2-8080" in text
    assert f"update @{clients} {{ ip saddr }}" in text


def test_no_change_is_no_text() -> None:
    assert changed([forward()], [forward()]) == ""


def test_a_change_names_only_what_changed() -> None:
    other = forward("svc/default/api/tcp-80", addresses=("10.65.0.8",))
    assert changed([forward(), other], [forward(backends=TWO[:1]), other]) == (
        "flush chain inet skerry-ab12 svc/default/web/tcp-80\n"
        "add rule inet skerry-ab12 svc/default/web/tcp-80 meta l4proto tcp dnat ip to 10.64.0.2:8080\n"
    )


def test_a_client_set_stays_when_other_backends_come_and_go() -> None:
    text = changed([forward(affinity_seconds=60)], [forward(affinity_seconds=60, backends=TWO[:1])])
    assert "10.64.0.2-8080/60 {" not in text
    assert "delete set inet skerry-ab12 of/svc/default/web/tcp-80/10.64.0.3-8080/60" in text


def test_balanced_addresses_are_refused_where_nothing_serves_and_open_to_their_sources() -> None:
    lent = forward(
        "lb/default/web/tcp-80",
        addresses=("203.0.113.7",),
        lent=("203.0.113.7",),
        sources=("10.0.0.0/8", "192.0.2.0/24"),
    )
    text = render(config(), [lent])
    assert "elements = { 203.0.113.7 }" in text
    assert "ip saddr != { 10.0.0.0/8, 192.0.2.0/24 } drop\nnumgen" in text.replace("meta l4proto tcp dnat ip to ", "")
    assert "chain lb/default/web/tcp-80 {\ndrop\n" in render(config(), [replace(lent, sources=())])
    assert "saddr !=" not in render(config(), [replace(lent, sources=None)]).replace("ip saddr != 10.64.0.0/16", "")
