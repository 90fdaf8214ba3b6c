"""Entries of a directory, the filters that find them, and what they say of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skerry.kube.records import record
from skerry.platform.identity.rules.told import Told, bounded
from skerry.platform.identity.types import LdapSettings
from skerry.platform.identity.vouching import NotVouched

UID_NUMBER, GID_NUMBER = "uidNumber", "gidNumber"
_BINARY = ("objectguid",)
_SPECIAL = str.maketrans({one: f"\\{ord(one):02x}" for one in "\\*()\0"})


@record
class Entry:
    """One object. Attributes by their names in small letters."""

    dn: str
    values: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, dn: str, raw: Mapping[str, Iterable[bytes]]) -> Entry:
        """From what came over the wire; values that are no text in hexadecimal."""
        return cls(dn, {name.lower(): [_text(name, one) for one in values] for name, values in raw.items()})

    def first(self, attribute: str) -> str:
        """Its first value, or ""."""
        return next(iter(self.values.get(attribute.lower(), ())), "")


def _text(attribute: str, value: bytes) -> str:
    if attribute.lower() in _BINARY:
        return value.hex()
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def attributes_of_people(settings: LdapSettings) -> list[str]:
    """What is read of a person."""
    return [
        settings.subject_attribute,
        settings.username_attribute,
        settings.email_attribute,
        settings.display_name_attribute,
        UID_NUMBER,
        GID_NUMBER,
    ]


def by_name(settings: LdapSettings, username: str) -> str:
    """The filter for a person who says to be called so."""
    return f"(&{_whole(settings.user_filter)}({settings.username_attribute}={escaped(username)}))"


def by_subject(settings: LdapSettings, subject: str) -> str:
    """The filter for a person who is known."""
    attribute = settings.subject_attribute
    is_binary = attribute.lower() in _BINARY
    value = "".join(f"\\{one:02x}" for one in bytes.fromhex(subject)) if is_binary else escaped(subject)
    return f"(&{_whole(settings.user_filter)}({attribute}={value}))"


def groups_of_person(settings: LdapSettings, person: Entry) -> str:
    """The filter for the groups that list somebody: by DN, by name (posixGroup), or as the primary group."""
    name, primary = person.first(settings.username_attribute), person.first(GID_NUMBER)
    ways = _lists(person.dn) + f"(memberUid={escaped(name)})"
    if primary.isascii() and primary.isdigit():
        ways += f"(&(objectClass=posixGroup)({GID_NUMBER}={primary}))"
    return f"(&{_whole(settings.group_filter)}(|{ways}))"


def groups_of_groups(settings: LdapSettings, dns: Iterable[str]) -> str:
    """The filter for the groups that list any of these groups."""
    return f"(&{_whole(settings.group_filter)}(|{''.join(_lists(one) for one in dns)}))"


def told_of(person: Entry, groups: Iterable[str], settings: LdapSettings) -> Told:
    """What the directory says of somebody. Raises NotVouched: not enough."""
    subject, username = person.first(settings.subject_attribute), person.first(settings.username_attribute)
    for attribute, value in ((settings.subject_attribute, subject), (settings.username_attribute, username)):
        if not value or not value.isprintable():
            raise NotVouched(f"the directory does not say the {attribute} of {person.dn}: an operator may set another")
    return Told(
        subject=subject,
        username=username,
        display_name=person.first(settings.display_name_attribute),
        email=person.first(settings.email_attribute),
        groups=bounded(groups),
        uid_number=_number(person.first(UID_NUMBER)),
        gid_number=_number(person.first(GID_NUMBER)),
    )


def escaped(value: str) -> str:
    """As a part of a filter: RFC 4515, 3."""
    return value.translate(_SPECIAL)


def _lists(dn: str) -> str:
    return f"(member={escaped(dn)})(uniqueMember={escaped(dn)})"


def _whole(written: str) -> str:
    return written if written.startswith("(") else f"({written})"


def _number(value: str) -> int | None:
    """Never 0: nobody becomes root by what a directory says."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 11 else 0
    return number or None
