"""`python -m skerry.engine.program --data-dir DIR`: run the engine in the foreground; `--stop-all`: take it all down.

The engine enters the instance's mount namespace by running itself anew inside it, before anything heavy is imported.
SIGTERM ends the engine and leaves containerd and the pods running. Exit code 1 with one line when it cannot start.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.instance import InstanceError, InstanceLock, open_instance
from skerry.engine.node.containerd import mount_namespace

log = logging.getLogger("skerry.engine")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="skerry.engine.program", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="the instance's data directory")
    parser.add_argument("--authentication-config", type=Path, help="an AuthenticationConfiguration")
    parser.add_argument("--audit-policy", type=Path, help="an audit policy")
    parser.add_argument("--beside", default="", help="a module and its arguments, to run beside the engine")
    parser.add_argument("--stop-all", action="store_true", help="end everything of the instance; its state stays")
    arguments = parser.parse_args()
    try:
        config = open_instance(arguments.data_dir)
        if arguments.authentication_config is not None:
            config = replace(config, authentication_config=arguments.authentication_config.resolve())
        if arguments.audit_policy is not None:
            config = replace(config, audit_policy=arguments.audit_policy.resolve())
        config = replace(config, beside=arguments.beside)
        return _stop_all(config) if arguments.stop_all else _run(config)
    except (InstanceError, mount_namespace.NamespaceError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _stop_all(config: EngineConfig) -> int:
    from skerry.engine.program.stopping import stop_all

    left = stop_all(config)
    sys.stderr.writelines(f"{line}\n" for line in left)
    return 1 if left else 0


def _run(config: EngineConfig) -> int:
    with InstanceLock(config):
        mount_namespace.ensure(config.paths)
    prefix = mount_namespace.enter_argv(config.paths, directory=Path.cwd())
    if prefix:
        os.execvp(prefix[0], [*prefix, sys.executable, "-m", "skerry.engine.program", *sys.argv[1:]])  # noqa: S606  # no shell wanted
    gc.disable()  # the modules stay anyway; looking through them time and again is a tenth of the start
    from skerry.engine.program.engine import run
    from skerry.engine.program.logs import set_up

    set_up(config.paths.engine_log)
    with InstanceLock(config):
        return run(config)


if __name__ == "__main__":
    sys.exit(main())
