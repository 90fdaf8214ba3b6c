"""What mounting tells its caller when a volume is not there."""

from __future__ import annotations


class MountError(Exception):
    """A volume could not be mounted; the text is the event's."""
