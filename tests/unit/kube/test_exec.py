"""How a command in a container ended, by the Status that closes its connection."""

from __future__ import annotations

import pytest

from skerry.kube.errors import StatusError
from skerry.kube.exec import exit_code


def test_the_exit_code_is_in_the_status() -> None:
    cause = {"reason": "ExitCode", "message": "3"}
    failed = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    assert exit_code({"status": "Success"}) == 0
    assert exit_code(failed) == 3


def test_a_command_that_could_not_be_run_is_an_error() -> None:
    with pytest.raises(StatusError, match="executable not found"):
        exit_code({"status": "Failure", "code": 500, "message": "executable not found", "reason": "InternalError"})
