"""What goes wrong with our containerd, as one exception."""

from __future__ import annotations


class ContainerdError(RuntimeError):
    """containerd or one of its helpers cannot do what was asked; the message is one line a person can act on."""
