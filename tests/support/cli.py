"""The command line in the test's own process, as some user of a test cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from skerry.cli.main import main
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import SERVICE_ACCOUNTS
from skerry.testing import Cluster


async def run(kubeconfig: Path, *words: str, code: int = 0) -> Result:
    """`skerry WORDS --kubeconfig ...`, in a thread, so that what it asks can be answered by this one."""
    done = await asyncio.to_thread(CliRunner().invoke, main, [*words, "--kubeconfig", str(kubeconfig)])
    assert done.exit_code == code, done.output
    return done


async def account_kubeconfig(cluster: Cluster, admin: HttpClient, folder: Path, name: str) -> tuple[str, Path]:
    """A service account's user name, and a kubeconfig with its token."""
    await admin.create(SERVICE_ACCOUNTS, {"metadata": {"name": name}}, "default")
    wanted = {"metadata": {"name": name}, "spec": {"expirationSeconds": 3600}}
    token = await admin.create(SERVICE_ACCOUNTS, wanted, "default", "token")
    config = {**cluster.config}
    config["users"] = [{"name": user["name"], "user": {"token": token["status"]["token"]}} for user in config["users"]]
    path = folder / f"{name}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return f"system:serviceaccount:default:{name}", path


def cells(printed: str) -> Sequence[Sequence[str]]:
    """A printed table's rows, without the heads."""
    return [line.split() for line in printed.splitlines()[1:]]
