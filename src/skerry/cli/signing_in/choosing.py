"""Which platform is meant, and whom to trust there: as it is said, else this machine's instance, else the last one."""

from __future__ import annotations

from pathlib import Path

from skerry.cli.errors import CommandFailed
from skerry.cli.signing_in.kept import find, name_of, names
from skerry.cli.signing_in.server import Server, authority_of, fingerprint_of

_WHICH = "which platform? Give its address: skerry login https://host:port"


def chosen(url: str, ca: Path | None, fingerprint: str, data_dir: Path) -> Server:
    """The platform to sign in to. Raises CommandFailed."""
    if not url:
        return _known(data_dir)
    if ca is not None:
        return Server(url, _certificate(ca))
    if fingerprint:
        return Server(url, _compared(url, fingerprint))
    before = find(name_of(url))
    return Server(url, before.ca if before else "")


def announced_here(data_dir: Path) -> Server | None:
    """The platform beside this machine's instance, for who may read the administrator's kubeconfig."""
    from skerry.cli.api import Api
    from skerry.cli.instance_files import find_instance
    from skerry.cli.platform_process import announced

    try:
        instance = find_instance(data_dir)
        if instance is None:
            return None
        with Api(instance.kubeconfig) as api:
            told = announced(api)
    except (CommandFailed, OSError):
        return None
    return Server(told.url, told.ca) if told else None


def kept_name(url: str) -> str:
    """The name a platform's session is kept by: the address's, else the only one there is. Raises CommandFailed."""
    if url:
        return name_of(url)
    known = names()
    if len(known) != 1:
        raise CommandFailed("nobody is signed in" if not known else f"which one? {', '.join(_urls(known))}")
    return known[0]


def _known(data_dir: Path) -> Server:
    here = announced_here(data_dir)
    if here is not None:
        return here
    known = [kept for name in names() if (kept := find(name))]
    if len(known) != 1:
        raise CommandFailed(_WHICH)
    return Server(known[0].url, known[0].ca)


def _urls(known: list[str]) -> list[str]:
    return [kept.url for name in known if (kept := find(name))]


def _certificate(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from None


def _compared(url: str, fingerprint: str) -> str:
    """The authority that the platform names, if it is the one meant."""
    pem = authority_of(Server(url).url)
    found = fingerprint_of(pem)
    if found.replace(":", "") != fingerprint.upper().removeprefix("SHA256:").replace(":", ""):
        raise CommandFailed(f"{url} has another authority, {found}: do not sign in, ask an operator")
    return pem
