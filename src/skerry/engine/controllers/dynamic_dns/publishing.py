"""Brings one host's records to what is wanted, through an open session, and says how that went.

What the zone is believed to hold is tried first: one message in the usual case. When the server finds it otherwise,
the marks are read and the plan is made anew; when that does not hold either, somebody else has the name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from skerry.engine.controllers.dynamic_dns.failures import DnsError, PrerequisiteFailed, ServerTrouble
from skerry.engine.controllers.dynamic_dns.inventory import FAILED, PENDING, PUBLISHED, REFUSED, Entry, Work
from skerry.engine.controllers.dynamic_dns.marks import TYPES
from skerry.engine.controllers.dynamic_dns.plan import (
    Found,
    Place,
    Wanted,
    believed,
    to_publish,
    to_verify,
    to_withdraw,
)
from skerry.engine.controllers.dynamic_dns.session import Session
from skerry.engine.controllers.dynamic_dns.updating import Update, apply, values_of

_TOGETHER = 25
"""Hosts compared by one message."""
_NEVER = frozenset({"NameTooLong", "Invalid"})
_FINAL = _NEVER | {"NotOurs", "NameInUse", "NotInZone", "Refused"}
"""What trying again does not change: the server takes the key, but not for this name."""


async def settle(session: Session, owner: str, work: Work) -> Entry | None:
    """The host's entry afterwards, None when nothing of it is left. Raises ServerTrouble: nothing is known then."""
    place = Place(work.host, session.server.zone, owner)
    try:
        if work.wanted is not None:
            await _publish(session, place, work.wanted, work.entry)
            return Entry(work.host, work.wanted, PUBLISHED)
        await _withdraw(session, place, work.entry)
    except ServerTrouble:
        raise
    except DnsError as error:
        if work.wanted is not None:
            return Entry(work.host, work.wanted, REFUSED if error.reason in _FINAL else FAILED, str(error))
        return _left_behind(work.entry, error)
    return None


def _left_behind(entry: Entry | None, error: DnsError) -> Entry | None:
    """What was refused, or cannot be a name, was never published; all else is tried again."""
    if entry is None or entry.state == REFUSED or error.reason in _NEVER:
        return None
    return replace(entry, state=FAILED, message=str(error))


async def still_right(session: Session, owner: str, works: Iterable[Work]) -> frozenset[str]:
    """Hosts that are published as wanted and of which the server has exactly that: many to a message."""
    right: set[str] = set()
    published = [
        (work.host, to_verify(Place(work.host, session.server.zone, owner), work.wanted))
        for work in works
        if work.wanted is not None and _is_published(work.entry, work.wanted)
    ]
    for begin in range(0, len(published), _TOGETHER):
        group = published[begin : begin + _TOGETHER]
        if await _is_so(session, Update(present=[record for _, update in group for record in update.present])):
            right |= {host for host, _ in group}
    return frozenset(right)


def _is_published(entry: Entry | None, wanted: Wanted) -> bool:
    return entry is not None and entry.state == PUBLISHED and entry.wanted == wanted


async def _publish(session: Session, place: Place, wanted: Wanted, entry: Entry | None) -> None:
    verification = to_verify(place, wanted)
    if _is_published(entry, wanted) and await _is_so(session, verification):
        return
    known = believed(place, entry.wanted) if entry is not None and entry.state == PUBLISHED else {}
    update = to_publish(place, wanted, known)
    try:
        await apply(session, update)
    except PrerequisiteFailed:
        await _publish_over(session, place, wanted)
    else:
        if update.unused:
            return  # beside nothing, nothing is dropped
    # of records that cannot be side by side (CNAME and others) a server drops the new one without a word
    if not await _is_so(session, verification):
        raise DnsError(
            "NameInUse", f"{place.host}: the server took the records, but others of the name stand in the way"
        )


async def _publish_over(session: Session, place: Place, wanted: Wanted) -> None:
    """The zone is not as we left it."""
    found = await _marks(session, place)
    try:
        await apply(session, to_publish(place, wanted, found))
    except PrerequisiteFailed as failed:
        if failed.code.startswith("YX"):
            message = f"{place.host} has DNS records already that bear no mark of this cluster; they stay as they are"
            raise DnsError("NameInUse", message) from None
        raise


async def _withdraw(session: Session, place: Place, entry: Entry | None) -> None:
    if entry is not None and entry.state == PUBLISHED:
        with contextlib.suppress(PrerequisiteFailed):
            await _apply_if_any(session, place, believed(place, entry.wanted))
            return
    await _apply_if_any(session, place, await _marks(session, place))


async def _apply_if_any(session: Session, place: Place, found: Found) -> None:
    if (update := to_withdraw(place, found)) is not None:
        await apply(session, update)


async def _is_so(session: Session, supposed: Update) -> bool:
    try:
        await apply(session, supposed)
    except PrerequisiteFailed:
        return False
    return True


async def _marks(session: Session, place: Place) -> Found:
    return {type_: await values_of(session, place.mark(type_).name, "TXT") for type_ in TYPES}


def unlisted(work: Work) -> Entry | None:
    """The entry that must be written before the work is done: a host is listed before it is published."""
    if work.wanted is None or work.entry is not None:
        return None
    return Entry(work.host, work.wanted, PENDING)
