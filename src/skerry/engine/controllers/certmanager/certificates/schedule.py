"""When a certificate is renewed, and when a failed issuance is tried again. Pure.

Source: cert-manager's `pkg/util/pki/renewaltime.go` and `pkg/controller/certificates/trigger` (1 h, doubling to 32).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.engine.controllers.certmanager.certificates.wanted import Wanted

_FIRST, _LONGEST = timedelta(hours=1), timedelta(hours=32)
LONGEST_SLEEP = 3600.0
"""Seconds: nobody sleeps longer, because the wall clock may be set, and machines sleep too."""


def renewal_time(begins: datetime, ends: datetime, wanted: Wanted) -> datetime:
    """When to renew: so long before the end as is asked for, if the certificate lives as long; else at two thirds."""
    life = ends - begins
    before = wanted.renew_before
    if before is None and wanted.renew_before_percentage:
        before = life * wanted.renew_before_percentage / 100
    if before is None or not timedelta() < before < life:
        before = life / 3
    return (ends - before).replace(microsecond=0)


def back_off(failures: int) -> timedelta:
    """What follows on so many failures in a row."""
    return min(_FIRST * int(2 ** min(max(failures - 1, 0), 5)), _LONGEST)


def sleep(now: datetime, *moments: datetime | None) -> float | None:
    """Seconds until the first of these moments; None when there is none."""
    ahead = [(moment - now).total_seconds() for moment in moments if moment is not None]
    return max(0.0, min(*ahead, LONGEST_SLEEP)) if ahead else None
