"""Places on the machine: made once, kept, never shared."""

from __future__ import annotations

import json
import shutil
import socket
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.instance import (
    DUAL_STACK,
    IPV4_ONLY,
    InstanceError,
    InstanceLock,
    choose_index,
    kernel_has_ipv6,
    load_instance,
    open_instance,
    port_is_free,
    remove_instance,
)
from skerry.engine.mounts import Mount


@pytest.fixture(autouse=True)
def no_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.instance._routed_networks", list)


def make(directory: Path, name: str, port: int | None = None) -> EngineConfig:
    return open_instance(directory / name, port, run_base=directory / "run")


def test_the_first_free_place_that_no_route_touches() -> None:
    assert choose_index([], []) == 0
    assert choose_index([0, 1], []) == 2
    assert choose_index([], [IPv4Network("10.65.3.0/24")]) == 1
    assert choose_index([1], [IPv4Network("10.64.0.0/15"), IPv4Network("192.0.2.0/24")]) == 2
    with pytest.raises(InstanceError, match="no free address range"):
        choose_index([], [IPv4Network("10.0.0.0/8")])


def test_an_instance_is_the_same_every_time(tmp_path: Path) -> None:
    first = make(tmp_path, "a")
    assert make(tmp_path, "a").instance == first.instance
    loaded = load_instance(tmp_path / "a", run_base=tmp_path / "run")
    assert loaded is not None
    assert (loaded.instance, loaded.port, loaded.pod_cidr) == (first.instance, first.port, first.pod_cidr)
    assert load_instance(tmp_path / "none") is None


def test_two_instances_share_nothing(tmp_path: Path) -> None:
    one, two = make(tmp_path, "a"), make(tmp_path, "b")
    for field in ("instance", "port", "pod_cidr", "service_cidr", "loopback_address", "nft_table"):
        assert getattr(one, field) != getattr(two, field)


def test_a_stopped_instance_keeps_its_place_until_its_directory_is_gone(tmp_path: Path) -> None:
    one = make(tmp_path, "a")
    assert make(tmp_path, "b").index == 1
    shutil.rmtree(tmp_path / "a")
    assert make(tmp_path, "c").index == one.index
    assert not (tmp_path / "run" / "instances" / f"{one.instance}.json").exists()


def test_a_place_taken_after_a_reboot_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path, "a")
    shutil.rmtree(tmp_path / "run")
    make(tmp_path, "b")
    with pytest.raises(InstanceError, match=str(tmp_path / "b")):
        make(tmp_path, "a")


def test_files_are_private(tmp_path: Path) -> None:
    config = make(tmp_path, "a")
    assert config.paths.instance_file.stat().st_mode & 0o777 == 0o600
    assert config.paths.data.stat().st_mode & 0o777 == 0o700
    assert config.paths.run.stat().st_mode & 0o777 == 0o700


def test_a_port_asked_for_is_kept_and_can_be_changed(tmp_path: Path) -> None:
    assert make(tmp_path, "a", 7443).port == 7443
    assert make(tmp_path, "a").port == 7443
    assert make(tmp_path, "a", 0).port == 7443
    assert make(tmp_path, "a", 7444).port == 7444
    with pytest.raises(InstanceError, match="7444"):
        make(tmp_path, "b", 7444)


def test_directories_of_other_things_and_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    with pytest.raises(InstanceError, match="not empty"):
        make(tmp_path, "home")
    (tmp_path / "a" / "log").mkdir(parents=True)
    config = make(tmp_path, "a")
    for text in ("", "{}", '{"instance": "../x", "index": 0, "port": 1}', json.dumps([1])):
        config.paths.instance_file.write_text(text)
        with pytest.raises(InstanceError, match="damaged"):
            make(tmp_path, "a")


def test_one_engine_per_directory(tmp_path: Path) -> None:
    config = make(tmp_path, "a")
    with InstanceLock(config), pytest.raises(InstanceError, match="another engine"), InstanceLock(config):
        pass
    with InstanceLock(config):
        pass


def test_removal_takes_everything_and_gives_the_place_back(tmp_path: Path) -> None:
    config = make(tmp_path, "a")
    (config.paths.data / "pki").mkdir()
    (config.paths.data / "link").symlink_to("/")
    remove_instance(config)
    assert not config.paths.data.exists()
    assert not config.paths.run.exists()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_removal_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    config = make(tmp_path, "a")
    (config.paths.run / "ingress.json").write_text("{}")
    (config.paths.data / "zeros").mkdir()

    def stop_at(part: str) -> None:
        if part == "zeros":
            raise OSError("the disk is away")

    with pytest.raises(OSError, match="the disk is away"):
        remove_instance(config, stop_at)
    assert load_instance(config.paths.data, run_base=tmp_path / "run") is not None
    begun: list[str] = []
    remove_instance(config, begun.append)
    assert begun == ["zeros"]
    assert not config.paths.data.exists()
    assert list((tmp_path / "run").iterdir()) == []


def test_nothing_is_removed_while_something_is_mounted_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make(tmp_path, "a")
    mounted = Mount(config.paths.data / "a disk", "ext4")
    monkeypatch.setattr("skerry.engine.mounts.current_mounts", lambda: [Mount(config.paths.data, "ext4"), mounted])
    with pytest.raises(InstanceError, match="a disk is still mounted"):
        remove_instance(config)
    assert config.paths.instance_file.exists()


def test_ip_families_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.instance.kernel_has_ipv6", lambda: True)
    config = open_instance(tmp_path / "a", 7443, families=DUAL_STACK, run_base=tmp_path / "run")
    assert config.pod_cidrs == (config.pod_cidr, str(IPv6Network(f"fd73:6b72:{config.instance}:1::/64")))
    assert config.service_cidrs[1].endswith("::/112")
    assert make(tmp_path, "a").pod_cidrs == config.pod_cidrs
    with pytest.raises(InstanceError, match="was made with IPv4,IPv6"):
        open_instance(tmp_path / "a", families=IPV4_ONLY, run_base=tmp_path / "run")
    assert make(tmp_path, "b").pod_cidr6 == ""


def test_a_kernel_without_ipv6_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.instance.kernel_has_ipv6", lambda: False)
    with pytest.raises(InstanceError, match="no IPv6"):
        open_instance(tmp_path / "a", 0, families=DUAL_STACK, run_base=tmp_path / "run")
    assert not (tmp_path / "a").exists()


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
def test_a_dual_stack_instance_needs_its_port_in_both_families(tmp_path: Path) -> None:
    dual = open_instance(tmp_path / "dual", 0, families=DUAL_STACK, run_base=tmp_path / "run")
    assert (dual.bind, dual.bind6) == ("0.0.0.0", "::")
    assert make(tmp_path, "a").bind6 == ""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as theirs:
        port = theirs.getsockname()[1]
        assert port_is_free(port, dual=False)
        assert not port_is_free(port, dual=True)
