"""`python -m skerry.platform.program`: run the platform until SIGTERM. Options say where; the CLI starts it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from skerry.kube import event_loop
from skerry.kube.collecting import spare_collections
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.platform.base.capability import MANAGER, Settings
from skerry.platform.program.platform import Pages, Platform, no_pages

log = logging.getLogger("skerry.platform")


def main(pages: Pages = no_pages) -> int:
    """Returns the exit code. `pages`: what is served to people beside what the capabilities serve."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    event_loop.run(_run_until_told(options, pages))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="skerry platform", description="The platform on a Kubernetes cluster.")
    parser.add_argument("--kubeconfig", type=Path, default=None, help="of an administrator of the cluster")
    parser.add_argument("--host", default="127.0.0.1", help="where admission and web are served")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--name", action="append", help="a host name or address by which it is called; the first by itself"
    )
    parser.add_argument("--url", default="", help="how the API server and people reach it, when not by host and port")
    parser.add_argument(
        "--beside-node", action="store_true", help="it runs on the one node of the cluster: make its Service"
    )
    parser.add_argument(
        "--streams-per-person",
        type=_at_least_one,
        default=Settings().streams_per_person,
        help="how many watches, logs, exec sessions and the like one person may have at once through /k8s",
    )
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


async def _run_until_told(options: argparse.Namespace, pages: Pages) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    names = tuple(options.name) if options.name else Settings().names
    settings = Settings(options.host, options.port, options.url, names, options.beside_node, options.streams_per_person)
    async with (
        HttpClient(load_kubeconfig(options.kubeconfig), field_manager=MANAGER) as client,
        Platform(client, settings, pages=pages) as platform,
    ):
        spare_collections()
        log.info("ready: %s", platform.url)
        await told.wait()
        log.info("stopping")


if __name__ == "__main__":
    sys.exit(main())
