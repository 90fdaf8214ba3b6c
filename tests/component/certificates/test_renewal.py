"""Certificates that were made long ago are renewed while the server runs, with clients of today.

The instance's clock is set to the day they were made and then to today, so that real clients, which go by the machine's
clock, judge what they are shown now.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skerry.engine.api import certificate_renewal
from skerry.engine.api.http import connection
from skerry.kube.errors import Forbidden, Unauthorized
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import name_of
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from tests.support.api import RunningApi, running_api
from tests.support.clock import SetClock
from tests.support.kubectl import Kubectl
from tests.support.waiting import until, until_raises

DAY = 86400.0
_LOG_IN = "You must be logged in to the server (the server has asked for the client to provide credentials)"
"""What kubectl makes of a 401 when it asks which kinds there are."""


@dataclass
class Old:
    """A server whose certificates were made some days ago. `copy`: the kubeconfig of then."""

    api: RunningApi
    clock: SetClock
    days: float
    copy: Path

    async def renew(self) -> None:
        """It is today, and the server looks."""
        self.clock.jump(self.days * DAY)
        await self.api.server.certificates.look()


@asynccontextmanager
async def made_ago(days: float, folder: Path) -> AsyncIterator[Old]:
    clock = SetClock(datetime.now(UTC) - timedelta(days=days))
    async with running_api(clock=clock, folder=folder) as api:
        copy = shutil.copy(api.kubeconfig, folder / "copy")
        yield Old(api, clock, days, copy)


async def shown_by(api: RunningApi) -> bytes:
    """The certificate that a new connection gets, verified by nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", api.server.port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    assert isinstance(shown, bytes)
    return shown


async def is_let_in(client: HttpClient) -> bool:
    try:
        await client.list(NAMESPACES)
    except Unauthorized:
        return False
    return True


async def test_the_serving_certificate_changes_and_no_connection_ends(tmp_path: Path) -> None:
    async with made_ago(340, tmp_path) as old, HttpClient.from_kubeconfig(old.copy) as client:
        before = await shown_by(old.api)
        version = (await client.list(NAMESPACES)).resource_version
        async with client.watch(CONFIG_MAPS, "default", resource_version=version) as events:
            await old.renew()
            assert await shown_by(old.api) != before
            await client.create(CONFIG_MAPS, {"metadata": {"name": "after"}}, "default")
            async for event in events:
                if event.type == "ADDED" and name_of(event.object) == "after":
                    break
        async with HttpClient.from_kubeconfig(old.copy) as fresh:  # it has 25 days left
            assert len((await fresh.list(NAMESPACES)).items) == 4


async def test_the_kubeconfig_is_written_anew_before_its_certificate_ends(tmp_path: Path) -> None:
    async with made_ago(340, tmp_path) as old:
        before = load_kubeconfig(old.api.kubeconfig)
        await old.renew()
        after = load_kubeconfig(old.api.kubeconfig)
        assert after.client_certificate != before.client_certificate
        assert (after.ca, after.server) == (before.ca, before.server)
        async with HttpClient(after) as client:
            assert len((await client.list(NAMESPACES)).items) == 4


async def test_whoever_kept_a_copy_for_too_long_is_told_why(tmp_path: Path) -> None:
    async with made_ago(400, tmp_path) as old:
        await old.renew()
        home = tmp_path / "home"
        refused = await Kubectl(old.copy, home).attempt("get", "namespaces")
        assert (refused.code, refused.err.splitlines()[-1]) == (1, f"error: {_LOG_IN}")
        refused = await Kubectl(old.copy, home).attempt("get", "--raw", "/api/v1/namespaces")
        assert "the client certificate of kubernetes-admin has expired at 20" in refused.err
        assert "kube-public" in (await Kubectl(old.api.kubeconfig, home)("get", "namespaces")).out
        async with HttpClient.from_kubeconfig(old.copy) as client:
            with pytest.raises(Unauthorized, match="has expired at 20"):
                await client.list(NAMESPACES)


async def test_it_looks_by_itself_and_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(certificate_renewal, "LOOK_SECONDS", 0.01)
    async with made_ago(340, tmp_path) as old:
        before = await shown_by(old.api)
        kubeconfig = old.api.kubeconfig.read_text()
        blocked = old.api.kubeconfig.with_name(".kubeconfig.new")
        blocked.mkdir()
        old.clock.jump(340 * DAY)
        await until(lambda: "certificates cannot be renewed" in caplog.text, "the failure's report")
        assert caplog.text.count("cannot be renewed") == 1
        assert old.api.kubeconfig.read_text() == kubeconfig
        blocked.rmdir()
        await until(lambda: old.api.kubeconfig.read_text() != kubeconfig, "the kubeconfig")
        assert await shown_by(old.api) != before


async def test_a_connection_lasts_no_longer_than_its_clients_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY", 0.01)
    clock = SetClock()
    async with running_api(clock=clock, folder=tmp_path) as api, HttpClient.from_kubeconfig(api.kubeconfig) as client:
        await client.list(NAMESPACES)
        (open_one,) = api.server._state.connections
        clock.jump(366 * DAY)
        await until_raises(Unauthorized, lambda: client.list(NAMESPACES))
        clock.jump(-366 * DAY)
        await until(lambda: is_let_in(client), "the clock was wrong")
        assert api.server._state.connections == {open_one}


async def test_a_token_counts_where_the_certificate_does_not(tmp_path: Path) -> None:
    async with made_ago(400, tmp_path) as old:
        await old.renew()
        asked = {"metadata": {"name": "default"}, "spec": {}}
        made = await old.api.client.create(SERVICE_ACCOUNTS, asked, "default", "token")
        known = replace(load_kubeconfig(old.copy), token=made["status"]["token"])
        async with HttpClient(known) as client:
            with pytest.raises(Forbidden, match="system:serviceaccount:default:default"):
                await client.list(NAMESPACES)
