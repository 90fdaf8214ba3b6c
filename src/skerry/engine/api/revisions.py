"""What clients may ask of resourceVersions, and the words Kubernetes refuses with.

Source: `apiserver/pkg/storage/errors.go` (NewTooLargeResourceVersionError) and the watch cache.
"""

from __future__ import annotations

from skerry.engine.store.contract import Store
from skerry.kube.errors import BadRequest, Expired, Timeout


def check_reached(store: Store, text: str) -> None:
    """Raise Timeout unless the store has reached the revision `text` ("" and "0": any). Raises BadRequest."""
    if not text:
        return
    if not (text.isdecimal() and text.isascii()) or len(text) > 18:
        raise BadRequest(f'Invalid value: "{text[:64]}": resourceVersion must be a decimal number')
    if int(text) > store.revision:
        raise too_large(int(text), store.revision)


def too_large(asked: int, current: int) -> Timeout:
    """The refusal of a revision that has not happened."""
    message = f"Too large resource version: {asked}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return Timeout(f"Timeout: {message}", {"causes": [cause], "retryAfterSeconds": 1})


def too_old(asked: int, oldest: int) -> Expired:
    """The refusal of a revision whose history is gone."""
    return Expired(f"too old resource version: {asked} ({oldest})")
