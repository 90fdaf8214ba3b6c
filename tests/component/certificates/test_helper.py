"""The helper process: there while it is needed, another one when it died, nothing left of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from skerry.engine.certificates.helper.errors import HelperError, Refused
from skerry.engine.certificates.helper.process import Helper
from tests.support.waiting import until

KEY = {"algorithm": "ECDSA", "size": 256, "encoding": "PKCS8"}


def process_of(helper: Helper) -> int:
    assert helper._running is not None
    return helper._running._process.pid


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_calls_and_refusals() -> None:
    helper = Helper()
    try:
        keys = await asyncio.gather(*(helper.call("new_key", **KEY) for _ in range(20)))
        assert len(set(keys)) == 20
        assert await helper.call("read_key", pem=keys[0]) == {"algorithm": "ECDSA", "size": 256}
        with pytest.raises(Refused, match="cannot be read"):
            await helper.call("read_key", pem="nonsense")
        with pytest.raises(HelperError, match="KeyError"):
            await helper.call("nobody knows this")
        command = Path(f"/proc/{process_of(helper)}/cmdline").read_text()
        assert "PRIVATE" not in command
    finally:
        await helper.close()


@pytest.mark.parametrize("algorithm", ["RSA", "ECDSA", "Ed25519"])
async def test_keys_and_their_certificates(algorithm: str) -> None:
    helper = Helper()
    try:
        size = {"RSA": 2048, "ECDSA": 384, "Ed25519": 0}[algorithm]
        key = await helper.call("new_key", algorithm=algorithm, size=size, encoding="PKCS1")
        names = {"commonName": "c", "dnsNames": ["a.example.org"], "ipAddresses": ["2001:db8::1"], "uris": ["urn:a"]}
        names |= {"emailAddresses": ["a@example.org"], "subject": {"organizations": ["O"], "serialNumber": "7"}}
        request = await helper.call("new_request", key=key, names=names)
        asked = await helper.call("read_request", request=request)
        terms = {"now": 1_800_000_000, "seconds": 3600, "isCA": True, "usages": ["server auth"]}
        made = await helper.call("sign_by_itself", request=request, terms=terms, key=key, points={})
        facts = await helper.call("read_pair", certificate=made["certificate"], key=key)
        for field, value in names.items():
            assert facts[field] == asked[field] == value
        assert (facts["algorithm"], facts["size"], facts["isCA"]) == (algorithm, size, True)
        assert (facts["notBefore"], facts["notAfter"]) == (1_800_000_000, 1_800_003_600)
    finally:
        await helper.close()


async def test_it_goes_when_it_is_idle_and_comes_back() -> None:
    helper = Helper(idle=timedelta(milliseconds=1))
    try:
        await helper.call("new_key", **KEY)
        await until(lambda: helper._running is None and not helper._ending, "the end of the process")
        assert await helper.call("new_key", **KEY)
    finally:
        await helper.close()


async def test_one_that_dies_fails_its_calls_and_is_replaced() -> None:
    helper = Helper()
    try:
        await helper.call("new_key", **KEY)
        pid = process_of(helper)
        os.kill(pid, signal.SIGSTOP)
        call = asyncio.create_task(helper.call("new_key", **KEY))
        await until(lambda: helper._running is not None and helper._running.waiting, "the call")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(HelperError):
            await call
        assert await helper.call("new_key", **KEY)
        assert process_of(helper) != pid
    finally:
        await helper.close()


async def test_it_ends_with_whoever_started_it() -> None:
    program = (
        "import asyncio\n"
        "from skerry.engine.certificates.helper.process import Helper\n"
        "async def main():\n"
        "    helper = Helper()\n"
        f"    await helper.call('new_key', **{KEY})\n"
        "    print(helper._running._process.pid, flush=True)\n"
        "    await asyncio.sleep(1000)\n"
        "asyncio.run(main())\n"
    )
    pipe = asyncio.subprocess.PIPE
    engine = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=pipe)
    assert engine.stdout is not None
    pid = int(await engine.stdout.readline())
    engine.kill()
    await engine.wait()
    await until(lambda: is_gone(pid), "the end of the helper")
