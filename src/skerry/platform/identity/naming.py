"""Names of users and groups, and of the objects that stand for them. Pure."""

from __future__ import annotations

import hashlib
import re

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
PRIVATE = "skerry-identity"
"""The namespace of hashes of passwords, of links, of what providers gave and of secrets for providers: nobody but
operators and this capability reads Secrets there."""
_PROGRAM = "skerry:program:"
_LONGEST_AS_IT_IS, _LONGEST_READABLE, _DIGITS = 200, 60, 12


def object_name(name: str) -> str:
    """The `metadata.name` of the User or Group of this name: the same where Kubernetes allows, else a readable part
    and a hash. So one name has one object, and the API lets nobody make a second."""
    if _SUBDOMAIN.match(name) and len(name) <= _LONGEST_AS_IT_IS:
        return name
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST_READABLE].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"{readable}-{digest}" if readable else digest


def may_be_a_user(username: str) -> bool:
    """Whether a person may be called so: never as a part of the cluster is."""
    return not username.startswith(("system:", "skerry:"))


def may_be_a_group(group: str) -> bool:
    """Whether people may be members of it: Kubernetes' own groups and those of programs are nobody's."""
    return not group.startswith(("system:", "skerry:project:"))


def group_of_programs(project: str, role: str) -> str:
    """The group as which programs of a project act; projects bind their roles to it."""
    return f"skerry:project:{project}:{role}"


def user_of_program(session: str) -> str:
    """The user name as which a program acts: its session's, so that the audit log tells programs apart."""
    return f"{_PROGRAM}{session}"


def session_of_program(user: str) -> str:
    """The session of a program by its user name; "" for everybody else."""
    return user.removeprefix(_PROGRAM) if user.startswith(_PROGRAM) else ""
