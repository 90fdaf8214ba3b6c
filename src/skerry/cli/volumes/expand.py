"""`skerry volumes expand`: asks for more room, and waits until it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.volumes import growing
from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of, canonical
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES
from skerry.kube.sizes import size_text

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@click.argument("claim")
@click.argument("size")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait for the room; 0 does not wait.")
@namespace_option
@on_cluster
def expand(cluster: Cluster, claim: str, size: str, timeout: float) -> None:
    """Give a claim more room: SIZE is the new size, or with a + what is added. Pods keep running.

    \b
    Examples:
      skerry volumes expand data 20Gi -n team
      skerry volumes expand data +500Mi
    """
    try:
        amount = bytes_of(size.removeprefix("+"))
    except ValueError:
        raise click.UsageError(f"{size!r} is no size: 20Gi, 500Mi and +5Gi are") from None
    cluster.run(lambda client, namespace: _expand(client, (namespace, claim), (size, amount), timeout))


async def _expand(client: HttpClient, key: tuple[str, str], size: tuple[str, int], timeout: float) -> None:
    from skerry.kube.errors import Forbidden

    namespace, name = key
    found = await client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)
    now = growing.requested(found)
    text, amount = size
    wanted = _quantity(now + amount) if text.startswith("+") else text
    refusal = growing.refusal(found, await _class(client, found), bytes_of(wanted))
    if refusal:
        raise CommandFailed(refusal)
    patch = {"spec": {"resources": {"requests": {"storage": wanted}}}}
    try:
        await client.patch(PERSISTENT_VOLUME_CLAIMS, name, patch, namespace)
    except Forbidden as error:
        raise CommandFailed(growing.forbidden(error.message)) from None
    click.echo(f"{namespace}/{name}: {size_text(now)} -> {size_text(bytes_of(wanted))}")
    if timeout > 0:
        await growing.wait(client, key, bytes_of(wanted), timeout)


def _quantity(size: int) -> str:
    """In binary units, where it is whole in them."""
    return canonical(f"{size // 1024}Ki") if size % 1024 == 0 else str(size)


async def _class(client: HttpClient, claim: Obj) -> Obj | None:
    """None when it is not there, or not ours to read: then the API decides."""
    from skerry.kube.errors import StatusError

    name = claim["spec"].get("storageClassName")
    try:
        return await client.get(STORAGE_CLASSES, name) if name else None
    except StatusError:
        return None
