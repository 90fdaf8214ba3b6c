"""Brings one host's records to what is wanted, through an open session, and says how that went.

What the zone is believed to hold is tried first: one message in the usual case. When the server finds it otherwise,
the marks are read and the plan is made anew; when that does not hold either, somebody else has the name.
"""

from __future__ import annotations

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
from skerry.engine.controllers.dynamic_dns.updating import apply, values_of

_FINAL = frozenset({"NotOurs", "NameInUse", "NameTooLong", "Invalid", "NotInZone"})
"""What trying again does not change."""


async def settle(session: Session, owner: str, work: Work) -> Entry | None:
    """The host's entry afterwards, None when nothing of it is left. Raises ServerTrouble: nothing is known then."""
    place = Place(work.host, session.server.zone, owner)
    try:
        if work.wanted is None:
            await _withdraw(session, place, work.entry)
            return None
        await _publish(session, place, work.wanted, work.entry)
    except ServerTrouble:
        raise
    except DnsError as error:
        if work.wanted is None and error.reason in _FINAL:
            return None  # it never was ours
        tried = work.wanted or (work.entry.wanted if work.entry is not None else Wanted("", {}, 0))
        return Entry(work.host, tried, REFUSED if error.reason in _FINAL else FAILED, str(error))
    return Entry(work.host, work.wanted, PUBLISHED)


async def _publish(session: Session, place: Place, wanted: Wanted, entry: Entry | None) -> None:
    if (
        entry is not None
        and entry.state == PUBLISHED
        and entry.wanted == wanted
        and await _holds(session, place, wanted)
    ):
        return
    known = believed(place, entry.wanted) if entry is not None and entry.state == PUBLISHED else {}
    try:
        await apply(session, to_publish(place, wanted, known))
    except PrerequisiteFailed:
        await _publish_over(session, place, wanted)
    if not await _holds(session, place, wanted):
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
        try:
            await _apply_if_any(session, place, believed(place, entry.wanted))
        except PrerequisiteFailed:
            pass
        else:
            return
    await _apply_if_any(session, place, await _marks(session, place))


async def _apply_if_any(session: Session, place: Place, found: Found) -> None:
    if (update := to_withdraw(place, found)) is not None:
        await apply(session, update)


async def _holds(session: Session, place: Place, wanted: Wanted) -> bool:
    try:
        await apply(session, to_verify(place, wanted))
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
