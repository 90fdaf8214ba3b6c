"""How a remote command ended, in the words of the error channel or stream.

Source: k8s.io/streaming and kubelet `remotecommand`: client-go makes an exit code of a Failure whose reason is
NonZeroExitCode and whose cause ExitCode holds the number.
"""

from __future__ import annotations

import orjson

from skerry.kube.errors import StatusError

_SUCCESS = orjson.dumps({"metadata": {}, "status": "Success"})


def exited(code: int, *, as_status: bool) -> bytes:
    """The error channel's data for an exit code, a Status or text; b"" where there is nothing to say."""
    if code == 0:
        return _SUCCESS if as_status else b""
    message = f"command terminated with non-zero exit code: {code}"
    if not as_status:
        return message.encode()
    return orjson.dumps(
        {
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    )


def failed(error: StatusError, *, as_status: bool) -> bytes:
    """The error channel's data for a command that could not be run."""
    return orjson.dumps(error.to_json()) if as_status else error.message.encode()
