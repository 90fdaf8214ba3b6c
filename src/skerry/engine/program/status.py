"""What the engine says about itself in `<data>/status.json`: start-up steps with their times, components, versions.

Written by `program`, read by the command line (which may not import the engine). Always a whole, valid document: it is
replaced, never changed in place. It holds no secrets; 0600 like everything in the data directory.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from skerry import __version__
from skerry.engine.config import EngineConfig


class StatusFile:
    """The status document of one engine process."""

    def __init__(self, config: EngineConfig) -> None:
        self._path = config.paths.status_file
        self._started = time.monotonic()
        self._document: dict[str, Any] = {
            "ready": False,
            "pid": os.getpid(),
            "instance": config.instance,
            "node": config.node_name,
            "api": f"https://{config.bind}:{config.port}",
            "versions": {"skerry": __version__, "python": platform.python_version(), "kernel": platform.release()},
            "paths": {"data": str(config.paths.data), "run": str(config.paths.run)},
            "networks": {"pods": ",".join(config.pod_cidrs), "services": ",".join(config.service_cidrs)},
            "nodePorts": f"{config.loopback_address}:{config.node_ports[0]}-{config.node_ports[1]}",
            "steps": [],
        }
        self._write()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step of the start; a failure is recorded with its reason before it goes on up."""
        begun = time.monotonic()
        try:
            yield
        except Exception as error:
            self._document["failed"] = {"step": name, "message": str(error)}
            self._write()
            raise
        self._document["steps"].append({"name": name, "seconds": round(time.monotonic() - begun, 3)})
        self._write()

    def note(self, **more: Any) -> None:
        """Add or replace facts (versions, missing features)."""
        for name, value in more.items():
            known = self._document.get(name)
            self._document[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        self._write()

    def ready(self) -> None:
        """The start is complete."""
        self._document["ready"] = True
        self._document["startSeconds"] = round(time.monotonic() - self._started, 3)
        self._write()

    def stopped(self) -> None:
        """The engine ended in order."""
        self._document.update(ready=False, pid=None)
        self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(self._document, option=orjson.OPT_INDENT_2))
        fresh.replace(self._path)
