"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

DEFAULT_DATA_DIR = "/var/lib/skerry"


class _Hours(click.FloatRange):
    """`nan` and `inf` are floats too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        hours = super().convert(value, param, ctx)
        return hours if math.isfinite(hours) else self.fail(f"{value} is no number of hours", param, ctx)


HOURS = _Hours(0, min_open=True)
"""Of a budget."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def data_dir_option(command: _Command) -> _Command:
    """`--data-dir`: which instance."""
    option = click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_DATA_DIR,
        envvar="SKERRY_DATA_DIR",
        show_default=True,
        show_envvar=True,
        help="The instance's directory.",
    )
    return option(command)


def output_option(command: _Command) -> _Command:
    """`-o`: for people, or for programs."""
    option = click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", "yaml"]),
        default="table",
        show_default=True,
        help="How to print it.",
    )
    return option(command)


authentication_config_option = click.option(
    "--authentication-config",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    default=None,
    help="An AuthenticationConfiguration file: OpenID Connect issuers whose users may sign in.",
)


audit_policy_option = click.option(
    "--audit-policy",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    default=None,
    help="An audit policy file: what the audit log keeps. Without one there is no audit log.",
)


platform_option = click.option(
    "--platform/--no-platform",
    default=True,
    show_default=True,
    help="Whether the platform (projects, identity) runs beside the engine.",
)


streams_option = click.option(
    "--streams-per-person",
    type=click.IntRange(min=1),
    default=None,
    help="How many watches, logs, exec sessions and the like one person may have at once through /k8s. [200]",
)


def engine_options(authentication_config: Path | None, audit_policy: Path | None, beside: str) -> list[str]:
    """What the engine is told of them. `beside`: what runs beside it, "" for nothing."""
    given = {"--authentication-config": authentication_config, "--audit-policy": audit_policy, "--beside": beside}
    return [word for option, value in given.items() if value for word in (option, str(value))]
