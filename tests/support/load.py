"""What clients saw who asked all the time: the notes of a `load_client`, counted.

Used where something dies or is replaced under load. Times are those of the monotonic clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import eventually

CLIENT = Path(__file__).parent / "load_client.py"


@dataclass(frozen=True)
class Load:
    """The notes, which grow as long as the client runs."""

    path: Path

    def answers(self) -> list[tuple[float, str]]:
        """When, and the server or "failed ..."."""
        return [note for note in self._notes() if note[1] != "again"]

    def repeated(self) -> list[float]:
        """When requests were sent once more, because the connection that was kept for them had been closed."""
        return [when for when, said in self._notes() if said == "again"]

    def _notes(self) -> list[tuple[float, str]]:
        lines = [line for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        words = [line.strip().split(" ", 1) for line in lines]
        return [(float(when), said) for when, said in words]

    def failures(self) -> list[tuple[float, str]]:
        """The requests that nobody answered well."""
        return [answer for answer in self.answers() if answer[1].startswith("failed")]

    def outage(self) -> float:
        """Seconds from the first failure to the last one."""
        failures = self.failures()
        return failures[-1][0] - failures[0][0] if failures else 0.0

    def wait_for(self, *servers: str) -> None:
        """Until each of these has answered a request that ended after now."""
        begun = time.monotonic()
        eventually(lambda: set(servers) <= {said for when, said in self.answers() if when > begun}, f"{servers} answer")

    def wait_for_only(self, *servers: str) -> None:
        """Until the last forty requests were answered by these, each of them, and no others."""
        begun = time.monotonic()

        def settled() -> bool:
            since = [said for when, said in self.answers() if when > begun]
            return len(since) >= 40 and set(since[-40:]) == set(servers)

        eventually(settled, f"only {servers} answer")

    def said(self, sort: str) -> str:
        """For the log of a test: how much was lost of how much, and for how long."""
        failed, asked = len(self.failures()), len(self.answers())
        repeated = len(self.repeated())
        return f"{sort}: {failed} of {asked} requests failed, within {self.outage():.1f} s; {repeated} sent again"
