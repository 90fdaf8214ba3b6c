"""Filters and entries of directories."""

from __future__ import annotations

import pytest

from skerry.platform.identity.ldap.entries import (
    Entry,
    by_name,
    by_subject,
    groups_of_groups,
    groups_of_person,
    told_of,
)
from skerry.platform.identity.ldap.library import problem_in
from skerry.platform.identity.types import LdapSettings
from skerry.platform.identity.vouching import NotVouched


def settings(**more: object) -> LdapSettings:
    return LdapSettings.of({"urls": ["ldaps://ldap.example"], "userBase": "ou=people,dc=x", **more})


def test_what_people_type_stays_a_value() -> None:
    assert by_name(settings(), "*)(uid=*") == r"(&(objectClass=person)(uid=\2a\29\28uid=\2a))"
    assert by_name(settings(userFilter="uid=a"), "\\\0") == r"(&(uid=a)(uid=\5c\00))"
    group = groups_of_groups(settings(groupFilter="(cn=*)"), ["cn=a(b),dc=x"])
    assert group == r"(&(cn=*)(|(member=cn=a\28b\29,dc=x)(uniqueMember=cn=a\28b\29,dc=x)))"


def test_somebody_is_found_again_by_what_stays() -> None:
    assert by_subject(settings(), "0-1") == "(&(objectClass=person)(entryUUID=0-1))"
    guid = Entry.of("cn=a", {"objectGUID": [b"\x01\xff"]}).first("objectguid")
    assert by_subject(settings(subjectAttribute="objectGUID"), guid).endswith(r"(objectGUID=\01\ff))")


def test_groups_by_dn_by_name_and_the_primary_one() -> None:
    anna = Entry.of("uid=anna,dc=x", {"UID": [b"anna"], "gidNumber": [b"100"]})
    assert "(memberUid=anna)(&(objectClass=posixGroup)(gidNumber=100))" in groups_of_person(settings(), anna)
    forged = Entry.of("uid=anna,dc=x", {"uid": [b"anna"], "gidNumber": [b"1)(cn=*"]})
    assert "posixGroup)(gid" not in groups_of_person(settings(), forged)


def test_what_is_told_of_somebody() -> None:
    raw = {"uid": [b"anna"], "entryUUID": [b"0-1"], "cn": [b"Anna"], "uidNumber": [b"1001"], "gidNumber": [b"0"]}
    told = told_of(Entry.of("uid=anna", raw), ["staff", "staff", ""], settings())
    assert (told.subject, told.username, told.display_name, told.groups) == ("0-1", "anna", "Anna", ("staff",))
    assert (told.uid_number, told.gid_number) == (1001, None), "nobody is root because a directory says so"
    with pytest.raises(NotVouched, match="does not say the entryUUID of uid=anna: an operator may set another"):
        told_of(Entry.of("uid=anna", {"uid": [b"anna"]}), [], settings())


def test_settings_that_cannot_be_are_refused_by_name() -> None:
    assert problem_in(settings()) == ""
    assert problem_in(settings(urls=["http://x"])).startswith("http://x: spec.ldap.urls begin with ldaps://")
    assert "passwords are not sent without TLS" in problem_in(settings(urls=["ldap://x"], startTls=False))
    assert problem_in(settings(ca="nonsense")).startswith("spec.ldap.ca is not PEM")
