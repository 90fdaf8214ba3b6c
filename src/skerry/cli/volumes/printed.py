"""Claims in tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import click

from skerry.cli.printing import print_document, table
from skerry.cli.volumes.facts import Claim
from skerry.kube.sizes import size_text

_MOST_PODS = 3


def print_claims(claims: Sequence[Claim], output: str, *, everywhere: bool) -> None:
    """`output`: table, json or yaml."""
    if output != "table":
        print_document({"claims": [one.to_json() for one in claims]}, output)
        return
    heads = ["NAME", "STATUS", "CLASS", "SIZE", "USED", "USE%", "INODES%", "PODS", "NODE"]
    rows = [_row(one) for one in claims]
    if everywhere:
        heads, rows = ["NAMESPACE", *heads], [[one.namespace, *row] for one, row in zip(claims, rows, strict=True)]
    click.echo(table(heads, rows) if rows else "there are no claims")


def percent(share: float | None) -> str:
    """As df(1) rounds: up, so that 100 % is said only too early."""
    return f"{math.ceil(share)}%" if share is not None else "-"


def known_size(size: int | None) -> str:
    """ "-" for what nobody knows."""
    return size_text(size) if size is not None else "-"


def _row(one: Claim) -> list[str]:
    used = known_size(one.measured.used if one.measured else None)
    silent = one.measured is not None and not one.measured.healthy
    return [
        one.name,
        one.phase if one.size is None or one.size >= one.requested else f"{one.phase}, growing",
        one.storage_class or "-",
        known_size(one.size),
        "no answer" if silent else used,
        percent(one.percent),
        percent(one.inode_percent),
        _pods(one.pods),
        ",".join(sorted({node for _, node in one.pods if node})) or "-",
    ]


def _pods(pods: Sequence[tuple[str, str]]) -> str:
    names = [name for name, _ in pods]
    more = [f"{len(names) - _MOST_PODS} more"] if len(names) > _MOST_PODS else []
    return ",".join(names[:_MOST_PODS] + more) or "-"
