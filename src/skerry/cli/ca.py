"""`skerry ca`: the authority that signs certificates of web sites in the instance, and trusting it on this machine.

It is published in ConfigMap `kube-public/skerry-ca`. The API has another one (`--cluster`), which is in the kubeconfig
already: whoever trusts a web site of the instance has not let the API's clients in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skerry.cli.api import Api
from skerry.cli.errors import CommandFailed, NotRunning
from skerry.cli.instance_files import need_instance, need_running
from skerry.cli.options import data_dir_option, output_option
from skerry.cli.printing import pairs, print_document
from skerry.cli.trust_store import is_trusted, trust, trusted_copies, withdraw
from skerry.kube.kubeconfig import KubeconfigError, load_kubeconfig

_CONFIG_MAP = "/api/v1/namespaces/kube-public/configmaps/skerry-ca"

_CLUSTER = "The API's authority instead of that of web sites."


def _as_before(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """An option that was given to `skerry ca` already need not be given again."""
    assert context.parent is not None
    assert option.name is not None
    return value or context.parent.params[option.name]


_data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_as_before,
    help="The instance's directory.",
)


@click.group(invoke_without_command=True)
@data_dir_option
@click.option("--cluster", is_flag=True, help=_CLUSTER)
@click.pass_context
def command(context: click.Context, data_dir: Path, cluster: bool) -> None:
    """Print the certificate of the authority that signs web sites (PEM).

    \b
    Examples:
      skerry ca > skerry-ca.crt
      curl --cacert skerry-ca.crt https://app.localhost/
      skerry ca show
      sudo skerry ca install
    """
    if context.invoked_subcommand is None:
        click.echo(read_pem(data_dir, cluster=cluster), nl=False)


@command.command()
@_data_dir_option
@click.option("--cluster", is_flag=True, callback=_as_before, help=_CLUSTER)
@output_option
def show(data_dir: Path, cluster: bool, output: str) -> None:
    """Show whose certificate it is, its fingerprint, how long it is good, and whether this machine trusts it.

    \b
    Examples:
      skerry ca show
      skerry ca show --cluster -o json
    """
    pem = read_pem(data_dir, cluster=cluster)
    document = {**describe(pem), "trusted": is_trusted(pem)}
    if output != "table":
        print_document(document, output)
        return
    click.echo(
        pairs([
            ("Subject", document["subject"]),
            ("SHA-256", document["fingerprint"]),
            ("Valid from", document["notBefore"]),
            ("Valid until", document["notAfter"]),
            ("Trusted here", "yes" if document["trusted"] else "no: `skerry ca install` makes it so"),
        ])
    )  # fmt: skip


@command.command()
@_data_dir_option
def install(data_dir: Path) -> None:
    """Have this machine's programs trust web sites of the instance. Needs root.

    The certificate is put among the machine's own authorities (Debian, Fedora, openSUSE, Arch), as `curl`, `git` and
    most programs read them. Browsers and language runtimes with authorities of their own do not. Done again when the
    authority was renewed. `skerry ca uninstall` and `skerry clean` take it back.

    \b
    Example:
      sudo skerry ca install
    """
    files = need_running(data_dir)
    pem = read_pem(data_dir, cluster=False)
    described = describe(pem)
    path = trust(files.instance, pem)
    click.echo(f"this machine trusts {described['subject']} until {described['notAfter']}: {path}")


@command.command()
@_data_dir_option
def uninstall(data_dir: Path) -> None:
    """Take back what `skerry ca install` did. Harmless when it did nothing. Needs root.

    \b
    Example:
      sudo skerry ca uninstall
    """
    files = need_instance(data_dir)
    if not trusted_copies(files.instance):
        click.echo("nothing to take back: this machine does not trust the instance's authority")
        return
    withdraw(files.instance)
    click.echo("this machine trusts it no longer")


def read_pem(data_dir: Path, *, cluster: bool) -> str:
    """The certificate. Raises NotRunning, CommandFailed."""
    files = need_instance(data_dir) if cluster else need_running(data_dir)
    try:
        if cluster:
            return (load_kubeconfig(files.kubeconfig).ca or b"").decode()
        with Api(files.kubeconfig) as api:
            published = api.get_object(_CONFIG_MAP)
    except KubeconfigError as error:
        raise NotRunning(f"{error}: start the instance with `skerry up`") from None
    except OSError as error:
        raise CommandFailed(f"the API does not answer: {error}") from None
    pem = ((published or {}).get("data") or {}).get("ca.crt")
    if not pem:
        raise CommandFailed("the instance has not published its authority: there is no ConfigMap kube-public/skerry-ca")
    return str(pem)


def describe(pem: str) -> dict[str, Any]:
    """What a certificate says. Raises CommandFailed for what is none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    from skerry.kube.clock import rfc3339

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise CommandFailed(f"what is published is no certificate: {error}") from None
    return {
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": certificate.fingerprint(SHA256()).hex(":").upper(),
        "notBefore": rfc3339(certificate.not_valid_before_utc),
        "notAfter": rfc3339(certificate.not_valid_after_utc),
        "pem": pem,
    }
