"""`skerry install-service`: a systemd unit, so that Skerry starts with the machine.

KillMode=process and Restart=always: stopping or restarting the engine leaves containerd and the pods running, and the
next engine adopts them. `skerry down` stops the unit first, or systemd would start the engine again at once; it starts
with the next boot, or by `systemctl start`. `skerry clean` removes the unit.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import click

from skerry.cli.engine_process import PROGRAM, command_of
from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.cli.options import (
    DEFAULT_DATA_DIR,
    audit_policy_option,
    authentication_config_option,
    data_dir_option,
    engine_options,
    platform_option,
    streams_option,
)
from skerry.cli.platform_process import beside, keep_port

_SYSTEMD_RUNS = Path("/run/systemd/system")
UNITS = Path("/etc/systemd/system")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # systemd's own default, not the caller's

_UNIT = """\
[Unit]
Description=Skerry, a container platform ({data_dir})
Documentation=man:systemd.service(5)
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={start}
Environment=PATH={path}
WorkingDirectory=/
StandardOutput=append:{log}
StandardError=append:{log}
Restart=always
RestartSec=1
KillMode=process
Delegate=yes
OOMScoreAdjust=-999
LimitNOFILE=1048576
TasksMax=infinity
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""


@click.command()
@data_dir_option
@authentication_config_option
@audit_policy_option
@platform_option
@streams_option
@click.option("--print", "print_only", is_flag=True, help="Print the unit; change nothing.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=UNITS,
    show_default=True,
    help="Where units are kept.",
)
def command(
    data_dir: Path,
    authentication_config: Path | None,
    audit_policy: Path | None,
    platform: bool,
    streams_per_person: int | None,
    print_only: bool,
    directory: Path,
) -> None:
    """Start Skerry when the machine boots, by a systemd unit.

    The unit is enabled and started when systemd runs here; otherwise it is only written.

    \b
    Examples:
      skerry install-service --print
      skerry install-service --data-dir /srv/second
    """
    data_dir = data_dir.resolve()
    companion = beside(data_dir, data_dir / "platform.kubeconfig", streams_per_person) if platform else ""
    options = engine_options(authentication_config, audit_policy, companion)
    if print_only:
        click.echo(unit(data_dir, *options), nl=False)
        return
    path = directory / unit_name(data_dir)
    try:
        (data_dir / "log").mkdir(mode=0o700, parents=True, exist_ok=True)
        if platform:
            keep_port(data_dir)
        path.write_text(unit(data_dir, *options))
    except OSError as error:
        raise MachineLacks(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"written {path}")
    if _SYSTEMD_RUNS.is_dir():
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", path.name)
        click.echo(f"{path.name} is enabled and started")
    else:
        click.echo("systemd does not run here: the unit starts nothing yet")


def unit_name(data_dir: Path) -> str:
    """skerry.service for the default data directory, else one that tells which."""
    if data_dir == Path(DEFAULT_DATA_DIR):
        return "skerry.service"
    return f"skerry-{str(data_dir).strip('/').replace('/', '-')}.service"


def stop_service(data_dir: Path) -> None:
    """Have systemd end the engine and leave it so, if it is systemd that runs it."""
    if _SYSTEMD_RUNS.is_dir() and (UNITS / unit_name(data_dir)).is_file():
        _systemctl("stop", unit_name(data_dir))


def remove_service(data_dir: Path) -> None:
    """Remove the unit, if there is one."""
    path = UNITS / unit_name(data_dir)
    if not path.is_file():
        return
    if _SYSTEMD_RUNS.is_dir():
        _systemctl("disable", path.name)
    path.unlink()


def unit(data_dir: Path, *options: str) -> str:
    """The unit's text; `options`: further ones of the engine. `%` begins a specifier in units, so it is doubled."""
    start = shlex.join(command_of(PROGRAM, "--data-dir", str(data_dir), *options))
    log = data_dir / "log" / "engine.log"
    texts = {"data_dir": str(data_dir), "start": start, "log": str(log), "path": _PATH}
    return _UNIT.format(**{name: text.replace("%", "%%") for name, text in texts.items()})


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"systemctl {' '.join(words)}: {done.stderr.strip()}")
