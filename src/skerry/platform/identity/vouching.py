"""What can go wrong with a provider: three kinds, since three different things follow."""

from __future__ import annotations


class ProviderDown(OSError):
    """There is no telling: it does not answer, or not as it should. Nothing is concluded about anybody."""


class NotVouched(Exception):
    """The provider does not, or no more, vouch for this person. The text is for the person."""


class Forged(Exception):
    """A token or answer that is not what it has to be. The text is for the log and the person."""
