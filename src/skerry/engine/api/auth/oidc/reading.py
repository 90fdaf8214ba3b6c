"""From the file to `Settings`: YAML, strict fields, Kubernetes' rules, compiled expressions.

Source: Kubernetes' `apiserver/pkg/apis/apiserver/validation/validation.go`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection
from urllib.parse import urlsplit

from skerry.engine.api.auth.oidc import expressions
from skerry.engine.api.auth.oidc.fields import Fields
from skerry.engine.api.auth.oidc.settings import Anonymous, ConfigurationError, Issuer, Mapped, Rule, Settings

_GROUP = "apiserver.config.k8s.io"
_VERSIONS = tuple(f"{_GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_MOST_ISSUERS = 64
_EMAIL = re.compile(r"""\bclaims\s*(\.\s*\??\s*|\[\s*\??\s*["'])email\b(?!_)""")
_VERIFIED = re.compile(r"\bemail_verified\b")
_BOTH = "claim and expression can't both be set"
_RESERVED = ("k8s.io", "kubernetes.io")


def read_settings(text: str, disallowed: Collection[str] = ()) -> Settings:
    """`disallowed`: issuers this server has itself. Raises ConfigurationError."""
    import yaml

    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}") from None
    root = Fields(loaded, "", [])
    if root.text("apiVersion") not in _VERSIONS or root.text("kind") != "AuthenticationConfiguration":
        raise ConfigurationError(f"must be an AuthenticationConfiguration of {_VERSIONS[0]}")
    listed = list(root.each("jwt"))
    if len(listed) > _MOST_ISSUERS:
        root.complain("jwt", f"Too many: {len(listed)}: must have at most {_MOST_ISSUERS} items")
    issuers = tuple(_issuer(fields, disallowed) for fields in listed)
    _unique(root, "jwt", "issuer.url", [issuer.url for issuer in issuers])
    _unique(root, "jwt", "issuer.discoveryURL", [issuer.discovery_url for issuer in issuers if issuer.discovery_url])
    anonymous = _anonymous(root.below("anonymous")) if root.has("anonymous") else Anonymous()
    root.below("anonymous")
    root.done()
    if root.complaints:
        raise ConfigurationError("\n".join(root.complaints))
    return Settings(issuers, anonymous)


def _anonymous(fields: Fields) -> Anonymous:
    enabled, paths = fields.flag("enabled"), set()
    conditions = list(fields.each("conditions"))
    for condition in conditions:
        paths.add(condition.text("path"))
        condition.done()
    if conditions and not enabled:
        fields.complain("conditions", "enabled should be set to true when conditions are defined")
    fields.done()
    return Anonymous(enabled, frozenset(paths) if conditions else None)


def _issuer(fields: Fields, disallowed: Collection[str]) -> Issuer:
    place, mappings = fields.below("issuer"), fields.below("claimMappings")
    url = _checked_url(place, "url", disallowed)
    required, claim_rules = _claim_rules(fields)
    issuer = Issuer(
        url=url,
        audiences=_audiences(place),
        username=_username(mappings.below("username")),
        groups=_prefixed(mappings.below("groups")),
        uid=_uid(mappings.below("uid")),
        extra=_extra(mappings),
        required_claims=required,
        claim_rules=claim_rules,
        user_rules=_user_rules(fields),
        discovery_url=_discovery_url(place, url),
        authority=_authority(place),
    )
    if place.text("egressSelectorType"):
        place.complain("egressSelectorType", "egress selectors are not supported by this server")
    for each in (place, mappings, fields):
        each.done()
    _check_email(issuer, fields)
    return issuer


def _checked_url(fields: Fields, name: str, disallowed: Collection[str] = ()) -> str:
    url = fields.text(name)
    if not url:
        fields.complain(name, "Required value")
        return ""
    parts = urlsplit(url)
    for wrong, why in (
        (url in disallowed, f"URL must not overlap with disallowed issuers: {sorted(disallowed)}"),
        (parts.scheme != "https", "URL scheme must be https"),
        ("@" in parts.netloc, "URL must not contain a username or password"),
        (parts.query, "URL must not contain a query"),
        (parts.fragment, "URL must not contain a fragment"),
    ):
        if wrong:
            fields.complain(name, f'Invalid value: "{url}": {why}')
    return url


def _discovery_url(fields: Fields, url: str) -> str:
    if not fields.text("discoveryURL"):
        return ""
    found = _checked_url(fields, "discoveryURL")
    if found.rstrip("/") == url.rstrip("/"):
        fields.complain("discoveryURL", f'Invalid value: "{found}": discoveryURL must be different from URL')
    return found


def _audiences(fields: Fields) -> tuple[str, ...]:
    audiences, policy = fields.texts("audiences"), fields.text("audienceMatchPolicy")
    if not audiences:
        fields.complain("audiences", f"Required value: at least one {fields.at('audiences')} is required")
    for index, audience in enumerate(audiences):
        if not audience:
            fields.complain(f"audiences[{index}]", "Required value")
        elif audience in audiences[:index]:
            fields.complain(f"audiences[{index}]", f'Duplicate value: "{audience}"')
    if len(audiences) > 1 and policy != "MatchAny":
        why = "audienceMatchPolicy must be MatchAny for multiple audiences"
        fields.complain("audienceMatchPolicy", f'Invalid value: "{policy}": {why}')
    elif policy not in ("", "MatchAny"):
        why = "audienceMatchPolicy must be empty or MatchAny for single audience"
        fields.complain("audienceMatchPolicy", f'Invalid value: "{policy}": {why}')
    return tuple(audiences)


def _authority(fields: Fields) -> str:
    pem = fields.text("certificateAuthority")
    if pem:
        try:
            ssl.create_default_context(cadata=pem)
        except (ssl.SSLError, ValueError) as error:
            fields.complain("certificateAuthority", f'Invalid value: "<omitted>": {error}')
    return pem


def _username(fields: Fields) -> Mapped:
    mapped = _prefixed(fields)
    if not mapped.claim and not fields.text("expression"):
        fields.complaints.append(f"{fields.path}: Required value: claim or expression is required")
    return mapped


def _prefixed(fields: Fields) -> Mapped:
    claim, expression = fields.text("claim"), fields.text("expression")
    prefix, has_prefix = fields.text("prefix"), fields.has("prefix")
    if claim and expression:
        fields.complaints.append(f'{fields.path}: Invalid value: "": {_BOTH}')
    elif expression and has_prefix:
        fields.complain("prefix", f'Invalid value: "{prefix}": prefix can\'t be set when expression is set')
    elif claim and not has_prefix:
        why = "prefix is required when claim is set. It can be set to an empty string to disable prefixing"
        fields.complain("prefix", f"Required value: {why}")
    elif has_prefix and not claim:
        fields.complain("claim", "Required value: non-empty claim name is required when prefix is set")
    fields.done()
    return Mapped(claim, prefix, expressions.over_claims(fields, "expression"))


def _uid(fields: Fields) -> Mapped:
    claim = fields.text("claim")
    if claim and fields.text("expression"):
        fields.complaints.append(f'{fields.path}: Invalid value: "": {_BOTH}')
    mapped = Mapped(claim, "", expressions.over_claims(fields, "expression"))
    fields.done()
    return mapped


def _extra(mappings: Fields) -> tuple[tuple[str, expressions.Program], ...]:
    found: dict[str, expressions.Program] = {}
    for fields in mappings.each("extra"):
        key = fields.text("key")
        if complaint := _extra_key(key, found):
            fields.complain("key", complaint)
        if not fields.text("valueExpression"):
            fields.complain("valueExpression", "Required value")
        program = expressions.over_claims(fields, "valueExpression")
        if program is not None:
            found[key] = program
        fields.done()
    return tuple(found.items())


def _extra_key(key: str, seen: Collection[str]) -> str:
    domain, slash, path = key.partition("/")
    if not slash or not path or not re.fullmatch(r"[a-z0-9.-]+", domain.lower()):
        return f'Invalid value: "{key}": must be a domain-prefixed path (such as "acme.io/foo")'
    if key != key.lower():
        return f'Invalid value: "{key}": must be lowercase'
    if any(domain == one or domain.endswith(f".{one}") for one in _RESERVED):
        why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
        return f'Invalid value: "{key}": {why}'
    return f'Duplicate value: "{key}"' if key in seen else ""


def _claim_rules(parent: Fields) -> tuple[tuple[tuple[str, str], ...], tuple[Rule, ...]]:
    required: dict[str, str] = {}
    rules: dict[str, Rule] = {}
    for fields in parent.each("claimValidationRules"):
        claim, expression = fields.text("claim"), fields.text("expression")
        value, message = fields.text("requiredValue"), fields.text("message")
        if claim and expression:
            fields.complaints.append(f'{fields.path}: Invalid value: "{claim}": {_BOTH}')
        elif claim:
            if message:
                fields.complain("message", f'Invalid value: "{message}": may not be specified when claim is set')
            if claim in required:
                fields.complain("claim", f'Duplicate value: "{claim}"')
            required[claim] = value
        elif not expression:
            fields.complaints.append(f"{fields.path}: Required value: claim or expression is required")
        else:
            if value:
                why = "may not be specified when expression is set"
                fields.complain("requiredValue", f'Invalid value: "{value}": {why}')
            _add_rule(rules, fields, expressions.over_claims(fields, "expression", boolean=True), message)
        fields.done()
    return tuple(required.items()), tuple(rules.values())


def _user_rules(parent: Fields) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for fields in parent.each("userValidationRules"):
        message = fields.text("message")
        if not fields.text("expression"):
            fields.complain("expression", "Required value")
        _add_rule(rules, fields, expressions.over_user(fields, "expression"), message)
        fields.done()
    return tuple(rules.values())


def _add_rule(rules: dict[str, Rule], fields: Fields, program: expressions.Program | None, message: str) -> None:
    if program is None:
        return
    if program.source in rules:
        fields.complain("expression", f'Duplicate value: "{program.source}"')
    rules[program.source] = Rule(program, message)


def _unique(root: Fields, name: str, field: str, values: list[str]) -> None:
    for index, value in enumerate(values):
        if value and value in values[:index]:
            root.complaints.append(f'{name}[{index}].{field}: Duplicate value: "{value}"')


def _check_email(issuer: Issuer, fields: Fields) -> None:
    """Whoever takes the name from an e-mail address must look whether the issuer has verified it."""
    username = issuer.username.expression
    if username is None or not _EMAIL.search(username.source):
        return
    read = [username, *(program for _, program in issuer.extra), *(rule.expression for rule in issuer.claim_rules)]
    if not any(_VERIFIED.search(program.source) for program in read):
        used = "claims.email is used in claimMappings.username.expression"
        places = "claimMappings.username.expression or claimMappings.extra[*].valueExpression or "
        why = f"claims.email_verified must be used in {places}claimValidationRules[*].expression when {used}"
        expression = fields.at("claimMappings.username.expression")
        fields.complaints.append(f'{expression}: Invalid value: "{username.source}": {why}')
