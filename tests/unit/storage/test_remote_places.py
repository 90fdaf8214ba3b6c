"""Where volumes on servers elsewhere are, and what classes and Secrets may ask for."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.storage.contract import Staging, StorageError, Use, VolumeRequest
from skerry.engine.storage.drivers.all import built_in
from skerry.engine.storage.drivers.remote import directories, options
from skerry.engine.storage.drivers.remote import driver as remote_driver
from skerry.engine.storage.drivers.remote.driver import Mounting, ServerDriver
from skerry.engine.storage.drivers.remote.kernel_mount import KernelMount
from skerry.engine.storage.drivers.remote.places import Place, checked_directory, new_place, place_in, place_of
from skerry.engine.storage.drivers.remote.servers import check_permitted, is_close
from tests.support.waiting import until

_MANY = Use(("ReadWriteMany",))


def _request(use: Use = _MANY, **parameters: str) -> VolumeRequest:
    return VolumeRequest("pvc-1", 1, use, parameters=parameters, claim=("lab", "notes"))


def _driver(name: str) -> ServerDriver:
    driver = built_in(_config(Path("/nowhere")))[f"{name}.storage.skerry.dev"]
    assert isinstance(driver, ServerDriver)
    return driver


def _config(root: Path) -> EngineConfig:
    paths = Paths(root / "data", root / "run")
    return EngineConfig("7e57", paths, "here", "", 0, "10.96.0.0/16", "10.112.0.0/16")


async def _command(name: str, use: Use = _MANY, secrets: dict[str, str] | None = None, **parameters: str) -> str:
    driver = _driver(name)
    place = new_place(_request(use, **parameters), await driver.fields(parameters, secrets or {}))
    return " ".join(driver.program(Mounting(place_of(place.context), secrets or {}, use)).command)


@pytest.mark.parametrize(
    ("parameters", "directory"),
    [
        ({}, "pvc-1"),
        ({"subDir": "${pvc.metadata.namespace}/x/${pvc.metadata.name}"}, "lab/x/notes"),
        ({"subDir": "/all//${pv.metadata.name}/"}, "all/pvc-1"),
    ],
)
def test_a_claim_has_a_directory(parameters: dict[str, str], directory: str) -> None:
    assert new_place(_request(**parameters), {}).directory == directory


@pytest.mark.parametrize("text", ["", "/", "..", "a/../b", "./a", "${pvc.metadata.uid}", "${pvc.name}", "a\nb", 'a"b'])
def test_a_directory_that_would_climb_is_refused(text: str) -> None:
    with pytest.raises(StorageError, match=r"subDir|directory"):
        new_place(_request(subDir=text), {})


@given(st.dictionaries(st.sampled_from(["server", "path", "user"]), st.text(min_size=1)), st.booleans())
def test_a_handle_says_all_that_deleting_needs(fields: dict[str, str], keep: bool) -> None:
    place = Place(fields, "a/b c", keep)
    assert place_in(place.handle) == place
    assert place_of(place.context).directory == "a/b c"


@given(st.text())
def test_no_directory_leaves_its_place(text: str) -> None:
    try:
        checked = checked_directory(text, whole=True)
    except StorageError:
        return
    assert not checked.startswith("/")
    assert not {".", ".."} & set(checked.split("/"))


def test_claims_of_one_directory_are_volumes_of_their_own() -> None:
    """Each is mounted with its own credentials, and made without the other in its way."""
    one = new_place(_request(Use(("ReadOnlyMany",)), dataset="true", subDir="genomes"), {"server": "s"})
    request = VolumeRequest("pvc-2", 1, _MANY, parameters={"subDir": "genomes"}, claim=("lab", "more"))
    two = new_place(request, {"server": "s"})
    assert one.directory == two.directory == "genomes"
    assert len({one.handle, two.handle, new_place(_request(subDir="genomes"), {"server": "s"}).handle}) == 3
    assert place_in(two.handle) == two
    assert "volume" not in two.context


def test_data_are_kept_when_the_class_says_so() -> None:
    assert new_place(_request(onDelete="retain"), {}).keep
    assert place_in(new_place(_request(onDelete="retain"), {}).handle).keep
    assert not place_in(new_place(_request(), {}).handle).keep
    dataset = new_place(_request(Use(("ReadOnlyMany",)), dataset="true"), {})
    assert (dataset.directory, dataset.keep) == ("", True)
    with pytest.raises(StorageError, match="ReadOnlyMany"):
        new_place(_request(dataset="true"), {})


@pytest.mark.parametrize(
    "option",
    [
        "ssh_command=/bin/sh", "ProxyCommand=sh", "allow_root", "sftp_server=/bin/sh", "password_stdin",
        "IdentityFile=/x", "uid=0;x", "follow_symlinks", "transform_symlinks", "passwd_file=/etc/passwd", "conf=/x",
        "url=http://127.0.0.1",
        "StrictHostKeyChecking=no", "idmap=file", "suid", "dev", "exec=1", "ServerAliveInterval=0",
    ],
)  # fmt: skip
async def test_an_option_that_could_escape_is_refused_by_name(option: str) -> None:
    for name, parameters in _CLASSES.items():
        with pytest.raises(StorageError, match=option.partition("=")[0]):
            await _command(name, Use(("ReadWriteMany",), mount_options=(option,)), _SECRETS, **parameters)


_CLASSES = {
    "sshfs": {"server": "files.example", "user": "u", "path": "/data"},
    "webdav": {"server": "https://files.example/dav"},
    "s3": {"endpoint": "https://files.example", "bucket": "data"},
    "nfs": {"server": "files.example", "share": "/data"},
}
_SECRETS = {
    "ssh-privatekey": "KEY", "known_hosts": "HOSTS", "username": "u", "password": "PASS", "accessKeyID": "ID",
    "secretAccessKey": "PASS",
}  # fmt: skip


async def test_what_mounts_is_told_the_place_and_no_secret() -> None:
    said = {name: await _command(name, secrets=_SECRETS, **parameters) for name, parameters in _CLASSES.items()}
    assert "sshfs u@files.example:/data/pvc-1 " in said["sshfs"]
    assert "mount.davfs https://files.example/dav/pvc-1/ /own/mnt " in said["webdav"]
    assert "s3fs data:/pvc-1 /mnt " in said["s3"]
    assert said["nfs"].endswith(" files.example:/data/pvc-1 {connection}")
    assert "softerr,timeo=100" in said["nfs"]
    assert not [one for one in said.values() if any(secret in one for secret in ("KEY", "HOSTS", "PASS"))]
    hard = await _command("nfs", Use(("ReadWriteMany",), mount_options=("hard", "nfsvers=4.1")), **_CLASSES["nfs"])
    assert "softerr" not in hard


async def test_a_place_at_the_root_of_a_server_stays_there() -> None:
    at_root = {**_CLASSES["sshfs"], "path": "/"}
    assert "sshfs u@files.example:/pvc-1 " in await _command("sshfs", secrets=_SECRETS, **at_root)
    assert " files.example:/pvc-1 " in await _command("nfs", **{**_CLASSES["nfs"], "share": "/"})
    assert " [::1]:/data/pvc-1 " in await _command("nfs", **{**_CLASSES["nfs"], "server": "::1"})


@pytest.mark.parametrize("use", [Use(("ReadOnlyMany",)), Use(("ReadWriteMany",), mount_options=("ro",))])
async def test_a_claim_that_only_reads_gets_its_directory_all_the_same(use: Use) -> None:
    for name, parameters in _CLASSES.items():
        driver = _driver(name)
        place = new_place(_request(use, **parameters), await driver.fields(parameters, _SECRETS))
        making, mounting = (Mounting(place, _SECRETS, use, whole=whole) for whole in (True, False))
        assert (driver.program(making).read_only, driver.program(mounting).read_only) == (False, True)


async def test_what_goes_wrong_on_this_machine_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    driver = built_in(_config(tmp_path))["nfs.storage.skerry.dev"]
    with pytest.raises(StorageError, match=r"nfs\.storage\.skerry\.dev: .*Not a directory"):
        await driver.create(_request(**_CLASSES["nfs"]))


async def test_parameters_are_known_or_refused() -> None:
    for name, parameters in _CLASSES.items():
        with pytest.raises(StorageError, match="unknown parameter sever"):
            await _command(name, secrets=_SECRETS, **parameters, sever="x")
        missing = dict(list(parameters.items())[1:])
        with pytest.raises(StorageError, match=next(iter(parameters))):
            await _command(name, secrets={"password": "x"}, **missing)
    with pytest.raises(StorageError, match="archive"):
        await _command("nfs", **_CLASSES["nfs"], onDelete="archive")
    with pytest.raises(StorageError, match="insecure"):
        await _command("webdav", secrets=_SECRETS, server="http://files.example")
    with pytest.raises(StorageError, match="provisioner-secret-name"):
        await _command("sshfs", **_CLASSES["sshfs"])


async def test_a_secret_names_only_servers_that_the_class_permits() -> None:
    mine = {**_SECRETS, "server": "10.1.2.3", "user": "u"}
    assert "u@10.1.2.3:" in await _command("sshfs", secrets=mine, allowedServers="10.1.2.3 files.example")
    for allowed in ("", "files.example", "10.*", "*"):
        with pytest.raises(StorageError, match=r"10\.1\.2\.3"):
            await _command("sshfs", secrets=mine, allowedServers=allowed)
    for host in ("localhost", "127.0.0.1", "127.1", "2130706433", "169.254.169.254", "::1", "[::1]", "a.localhost"):
        with pytest.raises(StorageError, match="private network"):
            await check_permitted(host, {"allowedServers": "*"})
    assert not is_close("8.8.8.8")


def test_options_keep_their_values() -> None:
    allowed = {"uid": options.NUMBER, "kernel_cache": options.NOTHING}
    assert options.allowed_options(["uid=5,kernel_cache", "noatime"], allowed) == {"uid": "5", "kernel_cache": ""}
    assert options.is_read_only(["noatime,ro"], ["ReadWriteOnce"])
    assert not options.is_read_only([], ["ReadOnlyMany", "ReadWriteOnce"])


def test_symbolic_links_of_a_server_lead_nowhere(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (outside / "claim").mkdir(parents=True)
    root.mkdir()
    (root / "lab").symlink_to(outside)
    with pytest.raises(OSError):
        directories.make(root, "lab/new")
    with pytest.raises(OSError):
        directories.remove(root, "lab/claim")
    assert (outside / "claim").is_dir()
    assert not (outside / "new").exists()
    directories.make(root, "a/b")
    directories.make(root, "a/b")
    (root / "a" / "b" / "link").symlink_to(outside)
    directories.remove(root, "a/b")
    directories.remove(root, "a/b")
    directories.remove(root, "x/y")
    assert (outside / "claim").is_dir()
    assert not (root / "a" / "b").exists()


async def test_nothing_is_deleted_that_is_not_a_directory_of_its_own() -> None:
    for handle in ("", "by-hand", "server=files.example&path=/data&user=u&onDelete=delete"):
        with pytest.raises(StorageError, match="nothing is deleted"):
            await _driver("sshfs").delete(handle, _SECRETS)


async def test_a_kernel_without_an_nfs_client_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KernelMount, "_is_in_kernel", lambda _: False)
    driver = built_in(_config(tmp_path))["nfs.storage.skerry.dev"]
    with pytest.raises(StorageError, match="kernel lacks an NFS client") as error:
        await driver.create(_request(**_CLASSES["nfs"]))
    assert error.value.code == "FAILED_PRECONDITION"
    staged = Staging("handle", tmp_path / "staged", _MANY, {**_CLASSES["nfs"], "subDir": "by/hand"}, {})
    with pytest.raises(StorageError, match="kernel lacks an NFS client"):
        await driver.stage(staged)
    await driver.unstage("handle", tmp_path / "staged")


async def test_a_silent_volume_is_asked_by_one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    silent, asked = threading.Event(), []

    def hangs(path: Path) -> None:
        asked.append(path)
        silent.wait()

    driver, told = _driver("sshfs"), []
    driver.on_trouble(lambda handle, text: told.append(handle))
    with monkeypatch.context() as patched:
        patched.setattr(remote_driver, "PATIENCE", 0.01)
        patched.setattr(remote_driver, "os", SimpleNamespace(stat=hangs, statvfs=os.statvfs))
        try:
            for _ in range(3):
                with pytest.raises(StorageError, match="answer"):
                    await driver.stats("handle", tmp_path)
        finally:
            silent.set()
    assert (asked, told) == ([tmp_path], ["handle"])
    await until(lambda: not driver._asking, "the answer")
    assert (await driver.stats("handle", tmp_path)).capacity


async def test_onedata_says_what_is_missing() -> None:
    drivers = built_in(_config(Path("/nowhere")))
    with pytest.raises(StorageError, match="oneclient"):
        await drivers["onedata.storage.skerry.dev"].create(_request())


async def test_the_classes_of_the_documentation_are_good() -> None:
    page = Path(__file__).parents[3] / "docs" / "resources" / "storageclass-remote.md"
    names = set()
    for example in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S):
        found = {one["kind"]: one for one in yaml.safe_load_all(example)}
        storage_class, claim = found["StorageClass"], found.get("PersistentVolumeClaim")
        names.add(storage_class["provisioner"].partition(".")[0])
        parameters = {key: value for key, value in storage_class["parameters"].items() if "/" not in key}
        modes = tuple(claim["spec"]["accessModes"]) if claim else ("ReadWriteMany",)
        use = Use(modes, mount_options=tuple(storage_class.get("mountOptions") or ()))
        secrets = found["Secret"]["stringData"] if "Secret" in found else {}
        assert await _command(storage_class["provisioner"].partition(".")[0], use, secrets, **parameters)
    assert names == {"sshfs", "webdav", "s3", "nfs"}
