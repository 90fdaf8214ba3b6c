"""`skerry`: finds the command and imports only its file, so that `--help` and short commands are quick."""

from __future__ import annotations

from importlib import import_module

import click

from skerry import __version__

COMMANDS = {
    "up": "Start Skerry on this machine.",
    "down": "Stop everything; keep the state.",
    "status": "Show what runs, where, and what this machine lacks.",
    "kubeconfig": "Print where the administrator's kubeconfig is.",
    "kubectl": "Run kubectl against this instance.",
    "login": "Sign in to a platform, for kubectl and everything else.",
    "logout": "Sign out: tokens stop working at once.",
    "whoami": "Say as whom commands act.",
    "tokens": "Make, list and revoke tokens of programs.",
    "token": "Print a token for kubectl, whose plug-in it is.",
    "ca": "Print, show or trust the authority that signs web sites.",
    "check": "Say what is wrong with manifests, before they are applied.",
    "compose": "Bring applications of Docker Compose.",
    "image": "Load, build, list and remove container images.",
    "lb": "Write configurations of balancers in front of clusters.",
    "projects": "Show and make projects.",
    "members": "Say who is in a project.",
    "tiers": "Show what projects are given.",
    "requests": "Ask for a project, for more, for longer; decide.",
    "catalogs": "Say where charts come from.",
    "charts": "Find, show, push and pull charts.",
    "launch": "Launch an application of the catalogue.",
    "releases": "Show what was launched; change it, take it away.",
    "volumes": "Show what claims hold, and give them more room.",
    "identity": "Explain what providers' words make people members of.",
    "users": "Add, list and disable people who sign in.",
    "storage": "Look after volumes: totals, mistakes, orphans.",
    "usage": "Show what projects used; accounting records.",
    "logs": "Show the engine's own log.",
    "install-service": "Start Skerry when the machine boots.",
    "clean": "Stop everything and remove the state.",
}

EPILOG = """\b
Examples:
  skerry up --detach
  skerry kubectl apply -f deployment.yaml
  skerry status -o json
\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine lacks something (nothing was started),
4 no instance or not running.
"""


class LazyGroup(click.Group):
    """Knows its commands by name; imports `skerry.cli.<name>` when one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order of `COMMANDS`: that in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"skerry.cli.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skerry")
def main() -> None:
    """Skerry: a container platform for research teams, on one machine in seconds."""


if __name__ == "__main__":
    main()
