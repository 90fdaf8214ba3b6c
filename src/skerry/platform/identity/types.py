"""The kinds of identity: who people are, what they are members of, where they sign in, and as what they are signed in.

Their schemas, their reference pages and what everybody here reads are made from these models. A user or group has two
names: the one the cluster knows (`spec.username`, `spec.name`: anything, also an address or a URN) and that of the
object, which is made from it (`naming.object_name`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from skerry.platform.base.kinds import AGE, Column, Kind, resource_of
from skerry.platform.base.model import Model, Name

USERS = resource_of("users", "User", namespaced=False)
GROUPS = resource_of("groups", "Group", namespaced=False)
IDENTITY_PROVIDERS = resource_of("identityproviders", "IdentityProvider", namespaced=False)
SESSIONS = resource_of("sessions", "Session", namespaced=False)

OPERATORS = "skerry:operators"
"""The group whose members may do everything."""
LOCAL = "local"
"""The provider of accounts with a password kept here."""

ClusterName = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[^\s\x00-\x1f\x7f]+( [^\s\x00-\x1f\x7f]+)*$")
]
"""Of a user or group, as RBAC writes it."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""Of a token, in hexadecimal."""


class UserSpec(Model):
    """A person."""

    username: ClusterName = Field(description="As RBAC, projects and the audit log name the person. Never changes.")
    provider: Name = Field(LOCAL, description="Where the person signs in: an IdentityProvider, or `local`.")
    subject: str = Field("", description="What the provider calls the person, for good; by default the username.")
    display_name: str = ""
    email: str = ""
    disabled: bool = Field(False, description="May not sign in, and loses all sessions at once.")
    uid_number: int | None = Field(None, ge=1, description="POSIX user, where the provider tells.")
    gid_number: int | None = Field(None, ge=1, description="POSIX group, where the provider tells.")


class Said(Model):
    """What a provider says that somebody is a member of, word for word."""

    entitlements: list[str] = Field([], description="Those that are URNs are groups as they are.")
    groups: list[str] = Field([], description="Plain names: groups here by rules only.")


class UserStatus(Model):
    """What the platform knows of a person."""

    groups: list[str] = Field([], description="What the provider said last, by the rules for it.")
    told: Said | None = Field(None, description="What the provider said last, before any rule.")
    last_login: datetime | None = None
    failed_logins: int = Field(0, ge=0, description="Wrong passwords since the last right one.")
    locked_until: datetime | None = Field(None, description="No password is looked at before.")


class GroupSpec(Model):
    """People, by operators' decision; providers tell of further members (`User.status.groups`)."""

    name: ClusterName = Field(description="As RBAC and projects name the group. Never changes.")
    description: str = ""
    members: list[ClusterName] = Field([], description="Names of users.")


class GroupStatus(Model):
    """Who is in it."""

    members: list[str] = Field([], description="All, whoever said so. The first thousand by name.")
    count: int = Field(0, ge=0)


class SecretRef(Model):
    """One entry of a Secret in `skerry-identity`."""

    name: Name
    key: str = Field(min_length=1)


class Rule(Model):
    """What a provider says of a person, and the group that means."""

    match: str = Field(min_length=1, description="An entitlement or group; `*` stands for anything but `:` and `#`.")
    group: ClusterName = Field(description="The group of the cluster; `$1` is what the first `*` stands for.")


class OidcSettings(Model):
    """An OpenID Connect provider."""

    issuer: str = Field(pattern="^https?://[^ ]+$", description="Its address, as it names itself.")
    client_id: str = Field(min_length=1)
    client_secret: SecretRef | None = Field(None, description="None: a public client (PKCE alone).")
    scopes: list[str] = Field(
        ["openid", "profile", "email", "offline_access"],
        description="`offline_access` is left out where the provider does not know it.",
    )
    username_claim: str = Field("email", description="The claim that becomes the username; an e-mail must be verified.")
    entitlement_claims: list[str] = Field(["eduperson_entitlement", "entitlements"])
    groups_claim: str = Field(
        "groups", description="Further groups, by plain names. Only rules make something of them."
    )
    ca: str = Field("", description="PEM: whom to trust at the issuer, where the system does not.")


class LdapSettings(Model):
    """LDAP servers with the same people."""

    urls: list[str] = Field(min_length=1, description="`ldap://` or `ldaps://`; the next when one does not answer.")
    start_tls: bool = Field(True, description="On `ldap://`. Passwords are never sent without TLS.")
    ca: str = Field("", description="PEM: whom to trust, where the system does not.")
    bind_dn: str = Field("", description='Who looks people up; "": anonymous.')
    bind_password: SecretRef | None = None
    user_base: str = Field(min_length=1)
    user_filter: str = Field("(objectClass=person)", description="Who may sign in.")
    subject_attribute: str = Field("entryUUID", description="What stays when somebody is renamed.")
    username_attribute: str = "uid"
    email_attribute: str = "mail"
    display_name_attribute: str = "cn"
    group_base: str = ""
    group_filter: str = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
    group_name_attribute: str = "cn"
    nested: bool = Field(True, description="Members of groups that are members of groups.")
    page_size: int = Field(500, ge=1, le=10000)


class LocalSettings(Model):
    """Accounts with passwords kept here."""

    shortest_password: int = Field(12, ge=8, le=128, description="In characters.")


class IdentityProviderSpec(Model):
    """Where people sign in."""

    type: Literal["OIDC", "LDAP", "Local"]
    display_name: str = Field("", description="On the sign-in page; by default the object's name.")
    username_prefix: str = Field("", description="Before every username from here, so that two providers cannot meet.")
    disabled: bool = Field(False, description="Nobody can sign in here; who is signed in stays so.")
    oidc: OidcSettings | None = None
    ldap: LdapSettings | None = None
    local: LocalSettings | None = None
    trusted_namespaces: list[str] = Field(
        [],
        description="Entitlements that begin so are groups as they are, e.g. `urn:mace:egi.eu:group`; "
        "others are what rules make of them. Empty: all that are URNs.",
    )
    rules: list[Rule] = Field(
        [], description="What becomes a group. Entitlements that are URNs are groups as they are."
    )


class IdentityProviderStatus(Model):
    """Beside `Ready`: whether people can sign in here."""

    last_contact: datetime | None = None


class Scope(Model):
    """What a program may do: what the role allows in this project, and nothing else."""

    project: Name
    role: Literal["owner", "editor", "viewer"]


class SessionSpec(Model):
    """Somebody, or something, is signed in. Of tokens only hashes are kept."""

    user: ClusterName = Field(description="Who; of a program, who made its token.")
    user_uid: str = Field("", description="Of the User object: a later person of the same name is somebody else.")
    kind: Literal["Browser", "CommandLine", "Program"]
    description: str = ""
    token_sha256: Sha256
    token_expires: datetime
    refresh_sha256: Sha256 | None = None
    previous_refresh_sha256: Sha256 | None = Field(None, description="The one before: who presents it copied it.")
    refreshed: datetime | None = None
    expires: datetime = Field(description="The end; nothing prolongs it.")
    scope: Scope | None = Field(None, description="Of programs only.")


class SessionStatus(Model):
    """What became of it."""

    last_used: datetime | None = Field(None, description="To the minute.")


_SAME_USERNAME = {"rule": "self.spec.username == oldSelf.spec.username", "message": "a username never changes"}
_SAME_NAME = {"rule": "self.spec.name == oldSelf.spec.name", "message": "the name of a group never changes"}
_NO_SYSTEM_USER = {
    "rule": "!self.spec.username.startsWith('system:') && !self.spec.username.startsWith('skerry:')",
    "message": "usernames that begin with system: or skerry: are not people's",
}
_NO_SYSTEM_GROUP = {
    "rule": "!self.spec.name.startsWith('system:') && !self.spec.name.startsWith('skerry:project:')",
    "message": "groups that begin with system: or skerry:project: have no members of their own",
}
_SETTINGS_OF_ITS_TYPE = {
    "rule": "(self.spec.type == 'OIDC') == has(self.spec.oidc) && (self.spec.type == 'LDAP') == has(self.spec.ldap)"
    " && (self.spec.type == 'Local' || !has(self.spec.local))",
    "message": "spec.type OIDC needs spec.oidc, LDAP spec.ldap, Local may have spec.local; none has another's",
}
_LOCAL_IS_LOCAL = {
    "rule": "(self.spec.type == 'Local') == (self.metadata.name == 'local')",
    "message": "accounts with a password here are those of the provider named local, and only it has the type Local",
}
_SCOPE_OF_PROGRAMS = {
    "rule": "(self.spec.kind == 'Program') == has(self.spec.scope)",
    "message": "programs, and they alone, have a spec.scope",
}

USER = Kind(
    USERS,
    UserSpec,
    UserStatus,
    columns=(
        Column("Username", ".spec.username"),
        Column("Provider", ".spec.provider"),
        Column("Disabled", ".spec.disabled", "boolean"),
        Column("Last login", ".status.lastLogin", "date"),
        AGE,
    ),
    description="A person who can sign in.",
    rules=(_SAME_USERNAME, _NO_SYSTEM_USER),
)
GROUP = Kind(
    GROUPS,
    GroupSpec,
    GroupStatus,
    columns=(Column("Group", ".spec.name"), Column("Members", ".status.count", "integer"), AGE),
    description="People who are given something together.",
    rules=(_SAME_NAME, _NO_SYSTEM_GROUP),
)
IDENTITY_PROVIDER = Kind(
    IDENTITY_PROVIDERS,
    IdentityProviderSpec,
    IdentityProviderStatus,
    columns=(
        Column("Type", ".spec.type"),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        AGE,
    ),
    short_names=("idp",),
    description="Where people sign in.",
    rules=(_SETTINGS_OF_ITS_TYPE, _LOCAL_IS_LOCAL),
)
SESSION = Kind(
    SESSIONS,
    SessionSpec,
    SessionStatus,
    columns=(
        Column("User", ".spec.user"),
        Column("Kind", ".spec.kind"),
        Column("Description", ".spec.description"),
        Column("Expires", ".spec.expires"),
        Column("Last used", ".status.lastUsed", "date"),
    ),
    description="Somebody, or a program, is signed in.",
    rules=(_SCOPE_OF_PROGRAMS,),
)
