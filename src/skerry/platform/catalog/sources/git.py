"""Charts in a git repository, by the `git` program: one commit is fetched, looked at before it is checked out, packed.

What is in a repository is a stranger's: nothing of it is run (no hooks, no filters, no submodules), links are refused
by the packing, and neither its fetching nor its checkout may fill the disk. Credentials are in files of a private
directory that goes with the fetch. Source: git-config (`http.curloptResolve`, `protocol.allow`), git-fetch.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult

from skerry.platform.base.leashing import leash
from skerry.platform.base.private_directories import PrivateDirectory
from skerry.platform.catalog.settings import Allowed
from skerry.platform.catalog.sources.addresses import host_of, parsed
from skerry.platform.catalog.sources.directory import archive_at, listing_of
from skerry.platform.catalog.sources.reaching import OutOfReach, Reach, addresses_of
from skerry.platform.catalog.sources.source import Listing, SourceFailed
from skerry.platform.catalog.types import CatalogSpec

_T = TypeVar("_T")
_LARGEST_FETCH, _LARGEST_CHECKOUT, _MOST_FILES = 256 << 20, 64 << 20, 20_000
_SECONDS = 180.0
_SCHEMES = "a repository of git is at https://..., ssh://... or file://..., without a password in it"
_URL = re.compile(r"(?:https|ssh|file)://[A-Za-z0-9._~%/:@\[\]+-]{1,1000}")
"""Nothing in it means anything to a shell or to a configuration file."""
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PORTS = {"https": 443, "ssh": 22}
_TOLD = 1000


class Git:
    """One repository."""

    is_ours = True

    def __init__(self, spec: CatalogSpec, reach: Reach, allowed: Allowed, secret: Mapping[str, str]) -> None:
        """Raises SourceFailed: what the Catalog says cannot be."""
        self._url, self._ref, self._path = spec.url, spec.ref or "HEAD", spec.path.strip("/")
        self._reach, self._allowed, self._secret = reach, allowed, secret
        if not _URL.fullmatch(self._url):
            raise SourceFailed("BadAddress", _SCHEMES)
        if not _REF.fullmatch(self._ref) or ".." in self._ref:
            raise SourceFailed("BadAddress", f"{self._ref[:70]!r} is no branch, tag or commit")
        if ".." in Path(self._path).parts or self._path.startswith(("-", ":")):
            raise SourceFailed("BadAddress", f"{self._path[:70]!r} leads out of the repository")

    async def read(self, known: str) -> Listing | None:
        """As `Source` has it."""
        return await self.look(known, lambda _, folder, commit: listing_of(folder, commit))

    async def archive(self, chart: str, version: str, url: str) -> bytes:
        """As `Source` has it."""
        async with _Checkout(self) as checkout:
            await checkout.fetch()
            return await asyncio.to_thread(archive_at, checkout.folder(), chart, version, url)

    async def look(self, known: str, take: Callable[[Path, Path, str], _T]) -> _T | None:
        """What `take` makes of a checkout's root, the folder that is meant, and the commit; None when upstream is still
        at commit `known`. Raises SourceFailed, and what `take` raises in its thread."""
        async with _Checkout(self) as checkout:
            if known and await checkout.newest() == known:
                return None
            commit = await checkout.fetch()
            return await asyncio.to_thread(take, checkout.root, checkout.folder(), commit)

    @property
    def place(self) -> tuple[str, str, str]:
        """URL, ref, and path in the repository."""
        return self._url, self._ref, self._path

    async def settings(self, home: Path) -> Mapping[str, str]:
        """The environment of git; files it needs are written to `home`. Raises SourceFailed, OSError."""
        parts = parsed(self._url)
        config = ["[protocol]", "allow = never", f'[protocol "{parts.scheme}"]', "allow = always"]
        more: dict[str, str] = {}
        if parts.scheme == "file":
            self._check_file(parts)
            config += ["[safe]", *(f'directory = "{parts.path.rstrip("/")}{end}"' for end in ("", "/.git"))]
        elif parts.scheme in _PORTS and parts.hostname and not parts.password:
            address = await self._address(parts)
            config += self._for_https(parts, address, home) if parts.scheme == "https" else []
            more = {} if parts.scheme == "https" else self._for_ssh(parts, address, home)
        else:
            raise SourceFailed("BadAddress", _SCHEMES)
        _write(home / "config", "\n".join([*config, ""]))
        return {
            **(_proxies() if self._reach.is_anywhere else {}),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(home / "config"),
            "GIT_TERMINAL_PROMPT": "0",
            **more,
        }

    def _check_file(self, parts: SplitResult) -> None:
        if parts.netloc or not self._allowed.has_directory(Path(parts.path)):
            raise SourceFailed(
                "NotAllowed",
                f"an operator has to allow {parts.path}: a line in `directories` of ConfigMap catalog in skerry-system",
            )

    async def _address(self, parts: SplitResult) -> str:
        """The one to connect to. Raises SourceFailed."""
        host, port = host_of(parts), parts.port or _PORTS[parts.scheme]
        try:
            return self._reach.choose(host, await addresses_of(host, port))[0]
        except OutOfReach as error:
            raise SourceFailed("OutOfReach", str(error)) from None
        except OSError as error:
            raise SourceFailed("NoAnswer", f"{host}: {error.strerror or error}") from None

    def _for_https(self, parts: SplitResult, address: str, home: Path) -> list[str]:
        """Lines of the configuration; redirects would lead to addresses that nobody has judged."""
        host, port = parts.hostname or "", parts.port or _PORTS["https"]
        lines = ["[http]", "followRedirects = false"]
        with suppress(ValueError):
            ip_address(host)
            host = ""
        if host:
            lines.append(f'curloptResolve = "{host}:{port}:{f"[{address}]" if ":" in address else address}"')
        if self._secret.get("ca.crt"):
            _write(home / "ca.crt", self._secret["ca.crt"])
            lines.append(f'sslCAInfo = "{home / "ca.crt"}"')
        if self._secret.get("username") or self._secret.get("password"):
            said = f"{self._secret.get('username', '')}:{self._secret.get('password', '')}"
            lines.append(f'extraHeader = "Authorization: Basic {base64.b64encode(said.encode()).decode()}"')
        return lines

    def _for_ssh(self, parts: SplitResult, address: str, home: Path) -> dict[str, str]:
        if not self._secret.get("ssh-privatekey") or not self._secret.get("known_hosts"):
            raise SourceFailed("BadSecret", "git over SSH needs a Secret with ssh-privatekey and known_hosts")
        for name in ("ssh-privatekey", "known_hosts"):
            _write(home / name, self._secret[name].rstrip("\n") + "\n")
        host, port = parts.hostname, parts.port or _PORTS["ssh"]
        alias = host if port == _PORTS["ssh"] else f"[{host}]:{port}"  # as ssh-keyscan writes it
        words = [
            "ssh", "-F", "/dev/null", "-i", str(home / "ssh-privatekey"), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={home / 'known_hosts'}", "-o", "StrictHostKeyChecking=yes",
            "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", f"HostName={address}",
            "-o", f"HostKeyAlias={alias}",
        ]  # fmt: skip
        return {"GIT_SSH_COMMAND": shlex.join(words)}


class _Checkout:
    """A private directory with one commit, gone at the end."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._url, self._ref, self._path = git.place
        self._directory: PrivateDirectory
        self._home = Path()
        self._environment: Mapping[str, str] = {}

    async def __aenter__(self) -> _Checkout:
        self._directory = PrivateDirectory("git")
        self._home = self._directory.path
        try:
            self._environment = await self._git.settings(self._home)
        except BaseException:
            await self._gone()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._gone()

    @property
    def root(self) -> Path:
        """Where the commit's files are."""
        return self._home / "tree"

    def folder(self) -> Path:
        """The one that is meant. Raises SourceFailed."""
        root = self.root
        folder = root / self._path
        if not folder.is_dir() or folder.resolve() != root.resolve() / self._path:
            raise SourceFailed("NotFound", f"there is no folder {self._path or '/'} in the repository at {self._ref}")
        return folder

    async def newest(self) -> str:
        """The commit that upstream has now; "" when only a fetch can tell. Raises SourceFailed."""
        if _COMMIT.fullmatch(self._ref):
            return self._ref
        asked = (self._ref, f"{self._ref}^{{}}")  # the second is what an annotated tag is of
        told = (await self._run("ls-remote", "--", self._url, *asked)).decode("ascii", "replace").splitlines()
        is_one = len(told) == 1 or (len(told) == 2 and told[1].endswith("^{}"))
        return told[-1].split()[0] if is_one else ""

    async def fetch(self) -> str:
        """Returns the commit, once its files are there. Raises SourceFailed."""
        tree = str(self.root)
        await self._run("init", "-q", "--template=", tree)
        await self._run("-C", tree, "fetch", "-q", "--depth=1", "--no-tags", "--", self._url, self._ref)
        await self._check_size(tree)
        await self._run("-C", tree, "checkout", "-q", "--detach", "FETCH_HEAD")
        return (await self._run("-C", tree, "rev-parse", "FETCH_HEAD^{commit}")).decode().strip()

    async def _check_size(self, tree: str) -> None:
        """Before anything is written: a few objects can name each other to petabytes."""
        process = await self._start("-C", tree, "ls-tree", "-r", "-l", "FETCH_HEAD")
        assert process.stdout is not None
        files = size = 0
        try:
            async with asyncio.timeout(_SECONDS):
                async for line in process.stdout:
                    told = line.split(None, 4)
                    files += 1
                    size += int(told[3]) if len(told) == 5 and told[3].isdigit() else 0
                    if files > _MOST_FILES or size > _LARGEST_CHECKOUT:
                        raise SourceFailed(
                            "TooLarge",
                            f"the repository has more than {_MOST_FILES} files or {_LARGEST_CHECKOUT >> 20} MiB",
                        )
        except (TimeoutError, ValueError):
            raise SourceFailed("TooLarge", "what is in the repository cannot be listed") from None
        finally:
            await _ended(process)

    async def _run(self, *words: str) -> bytes:
        """What git prints. Raises SourceFailed with what it complains of."""
        process = await self._start(*words)
        try:
            async with asyncio.timeout(_SECONDS):
                told, complained = await process.communicate()
        except TimeoutError:
            raise SourceFailed("NoAnswer", f"{self._url} does not answer within {_SECONDS:g} seconds") from None
        finally:
            await _ended(process)
        if process.returncode != 0:
            raise SourceFailed("NoAnswer", self._why(process.returncode, complained))
        return told

    def _why(self, code: int | None, complained: bytes) -> str:
        """Without where our files are."""
        lines = complained.decode("utf-8", "replace").replace(str(self._home), "").splitlines()
        said = "; ".join(line.strip() for line in lines if line.strip(" @"))[:_TOLD]
        return f"{self._url} at {self._ref}: {said or f'git ended with {code}: is it too large?'}"

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        """A file of git's cannot become larger than what a repository may be."""
        limits = (*leash(), "prlimit", f"--fsize={_LARGEST_FETCH}", f"--cpu={int(_SECONDS)}", "--core=0", "--")
        try:
            return await asyncio.create_subprocess_exec(
                *limits, "git", *words,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env=dict(self._environment), cwd=self._home, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise SourceFailed("NoGit", f"{error.filename} is missing on the platform's machine") from None

    async def _gone(self) -> None:
        await asyncio.to_thread(self._directory.remove)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """With its children: ssh, remote helpers."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()


def _proxies() -> dict[str, str]:
    """Of this machine; they would reach for tenants what these must not."""
    return {name: value for name, value in os.environ.items() if name.lower() in ("https_proxy", "no_proxy")}


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as writer:
        writer.write(text)
