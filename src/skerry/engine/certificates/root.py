"""The API's certificate authority, as those know it who publish it: its text, and news of another one.

Set by the API server, which has it from its files; read by the controllers that put it where pods find it.
"""

from __future__ import annotations

from collections.abc import Callable


class RootCertificate:
    """PEM text that may be replaced while the engine runs."""

    def __init__(self, pem: str = "") -> None:
        self.pem = pem
        self._told: list[Callable[[], None]] = []

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call it each time there is another one."""
        self._told.append(tell)

    def replace(self, pem: str) -> None:
        """Tell of it, if it is another one."""
        if pem != self.pem:
            self.pem = pem
            for tell in self._told:
                tell()
