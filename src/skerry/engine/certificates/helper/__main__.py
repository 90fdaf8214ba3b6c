"""The helper's own program: reads calls from standard input, a line each, and answers them on standard output.

Calls run in threads, since most of them wait for somebody on the network. It says nothing else on standard output, and
what goes wrong goes to standard error without arguments: they hold keys.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import orjson

from skerry.engine.certificates.helper.calls import CALLS
from skerry.engine.certificates.helper.errors import Refused

_AT_ONCE = 8


def main() -> None:
    """Until standard input ends."""
    answers, writing = sys.stdout.buffer, Lock()

    def answer(number: int, name: str, arguments: dict[str, Any]) -> None:
        line = orjson.dumps([number, *_outcome(name, arguments)]) + b"\n"
        with writing:
            answers.write(line)
            answers.flush()

    pool = ThreadPoolExecutor(_AT_ONCE)
    for line in sys.stdin.buffer:
        pool.submit(answer, *orjson.loads(line))
    os._exit(0)  # nobody waits for what is still under way


def _outcome(name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "result", CALLS[name]()(**arguments)
    except Refused as refused:
        about = {"kind": refused.kind, "retry_after": refused.retry_after, "status": refused.status}
        return "refused", {"message": str(refused), **about}
    except Exception as error:
        return "failed", f"{name}: {type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
