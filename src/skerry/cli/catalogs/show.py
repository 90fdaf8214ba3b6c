"""`skerry catalogs show`."""

from __future__ import annotations

import click

from skerry.cli.catalogs.reading import catalog_named, ready
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import pairs, print_document
from skerry.kube.objects import Obj, name_of, namespace_of


@click.command()
@click.argument("name")
@output_option
@namespace_option
@on_cluster
def show(cluster: Cluster, name: str, output: str) -> None:
    """Show the catalogue NAME.

    \b
    Example:
      skerry catalogs show stable
    """
    found = cluster.run(lambda client, namespace: catalog_named(client, name, namespace))
    if output != "table":
        print_document(found, output)
    else:
        click.echo(pairs(_facts(found)))


def _facts(catalog: Obj) -> list[tuple[str, str]]:
    spec, status = catalog["spec"], catalog.get("status") or {}
    pins = [f"{one['name']} {one['version']}" for one in spec.get("pinned") or ()]
    return [
        ("name", name_of(catalog)),
        ("namespace", namespace_of(catalog)),
        ("description", spec.get("description") or "-"),
        ("type", spec["type"]),
        ("where", " ".join(str(spec[one]) for one in ("url", "ref", "path") if spec.get(one)) or "-"),
        ("charts", f"{status.get('charts', 0)}, {status.get('versions', 0)} versions"),
        ("only", ", ".join(spec.get("charts") or ()) or "-"),
        ("keeps", spec.get("keep", "Used")),
        ("pinned", ", ".join(pins) or "-"),
        ("refreshed", f"{status.get('refreshed') or 'never'}, every {spec.get('refreshMinutes', 60)} minutes"),
        ("ready", ready(catalog)),
    ]
