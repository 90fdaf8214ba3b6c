"""`skerry status`: what the engine wrote about itself, what its API answers now, and what the machine lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from skerry import __version__
from skerry.cli.api import Api, node_is_ready
from skerry.cli.engine_process import run_module
from skerry.cli.errors import NotRunning
from skerry.cli.instance_files import InstanceFiles, need_instance
from skerry.cli.options import data_dir_option, output_option
from skerry.cli.platform_process import announced, answers
from skerry.cli.printing import pairs, print_document, table

FEATURES = "skerry.engine.network.features"


@click.command()
@data_dir_option
@output_option
def command(data_dir: Path, output: str) -> None:
    """Show what runs, where, and what this machine lacks.

    Exit code 4 if there is no instance or its engine does not run.

    \b
    Examples:
      skerry status
      skerry status -o json
    """
    files = need_instance(data_dir)
    document = describe(files)
    if output == "table":
        _print(document)
    else:
        print_document(document, output)
    if not document["running"]:
        raise NotRunning(f"the instance in {data_dir} is not running: start it with `skerry up`")


def describe(files: InstanceFiles) -> dict[str, Any]:
    """The whole answer, as `-o json` prints it."""
    pid, kept = files.engine_pid(), files.status()
    said = _ask_api(files, str(kept.get("node", ""))) if pid is not None else {}
    return {
        "running": pid is not None,
        "ready": bool(said.get("ready")),
        "instance": files.instance,
        "pid": pid,
        "api": str(kept.get("api", "")).replace("//0.0.0.0:", "//127.0.0.1:"),
        "components": said.get("components", []),
        "node": said.get("node", {}),
        "platform": said.get("platform", {}),
        "versions": {**kept.get("versions", {}), **said.get("versions", {}), "skerry": __version__},
        "networks": kept.get("networks", {}),
        "nodePorts": kept.get("nodePorts", ""),
        "paths": {
            **kept.get("paths", {"data": str(files.data_dir), "run": str(files.run_dir)}),
            "kubeconfig": str(files.kubeconfig),
            "containerdSocket": str(files.containerd_socket),
        },
        "startSteps": kept.get("steps", []),
        "missing": _missing_features(),
    }


def _ask_api(files: InstanceFiles, node_name: str) -> dict[str, Any]:
    """Readiness by component, the node, versions. {} when the API does not answer."""
    try:
        with Api(files.kubeconfig) as api:
            code, checks = api.get("/readyz?verbose")
            node = api.get_object(f"/api/v1/nodes/{node_name}") or {}
            version = api.get_object("/version") or {}
            platform = announced(api)
    except OSError:
        return {"components": [{"name": "api", "ok": False, "message": "does not answer"}]}
    return {
        "ready": code == 200 and node_is_ready(node),
        "components": parse_checks(checks),
        "node": _node(node),
        "platform": {"url": platform.url, "answers": answers(platform)} if platform else {},
        "versions": {
            "kubernetes": version.get("gitVersion", ""),
            "containerd": node.get("status", {})
            .get("nodeInfo", {})
            .get("containerRuntimeVersion", "")
            .rpartition("/")[2],
        },
    }


def parse_checks(text: str) -> list[dict[str, Any]]:
    """Lines of `/readyz?verbose`: "[+]name ok", "[-]name failed: reason"."""
    found = []
    for line in text.splitlines():
        if line.startswith(("[+]", "[-]")):
            name, _, message = line[3:].partition(" ")
            found.append({"name": name, "ok": line.startswith("[+]"), "message": message})
    return found


def _node(node: dict[str, Any]) -> dict[str, Any]:
    status = node.get("status", {})
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    return {
        "name": node.get("metadata", {}).get("name", ""),
        "ready": node_is_ready(node),
        "address": addresses.get("InternalIP", ""),
        "capacity": status.get("capacity", {}),
        "allocatable": status.get("allocatable", {}),
    }


def _platform(platform: dict[str, Any]) -> list[tuple[str, str]]:
    if not platform:
        return []
    return [("Platform", platform["url"] + ("" if platform["answers"] else ", does not answer"))]


def _missing_features() -> list[dict[str, Any]]:
    done = run_module(FEATURES)
    features: list[dict[str, Any]] = json.loads(done.stdout) if done.returncode == 0 else []
    return [
        {"name": one["name"], "required": one["required"], "mend": one["mend"]}
        for one in features
        if not one["present"]
    ]


def _print(document: dict[str, Any]) -> None:
    node, networks = document["node"], document["networks"]
    state = "ready" if document["ready"] else "running, not ready" if document["running"] else "not running"
    capacity = node.get("capacity", {})
    facts = [
        ("Instance", f"{document['instance']}, {state}" + (f", process {document['pid']}" if document["pid"] else "")),
        ("API", str(document["api"])),
        ("Node", f"{node['name']} ({node['address']})" if node.get("name") else ""),
        ("Capacity", ", ".join(f"{capacity[key]} {key}" for key in ("cpu", "memory", "pods") if key in capacity)),
        ("Pods, services", f"{networks.get('pods', '')}, {networks.get('services', '')}"),
        ("Node ports", str(document["nodePorts"])),
        *_platform(document["platform"]),
        ("Versions", ", ".join(f"{name} {value}" for name, value in document["versions"].items() if value)),
        *((f"Path of {name}", value) for name, value in document["paths"].items()),
    ]
    click.echo(pairs([(name, value) for name, value in facts if value.strip(", ")]))
    _print_section("COMPONENT", "STATE", [(one["name"], one["message"]) for one in document["components"]])
    _print_section("MISSING ON THIS MACHINE", "", [(one["name"], one["mend"]) for one in document["missing"]])


def _print_section(head: str, second: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        click.echo()
        click.echo(table((head, second), rows))
