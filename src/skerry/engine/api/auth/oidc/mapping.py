"""From the claims of a token that is good to a user, or to the reason why not. Pure.

Source: Kubernetes' `oidc.go` (getUsername, getGroups, getUID, getExtra) and its order of checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.engine.api.auth.authentication import user
from skerry.engine.api.auth.oidc.settings import Issuer, Mapped, Rule
from skerry.engine.api.auth.tokens import InvalidToken
from skerry.engine.api.request import User
from skerry.engine.cel.contract import EvaluationError, Program

Claims = Mapping[str, Any]


def user_of(issuer: Issuer, claims: Claims) -> User:
    """Raises InvalidToken."""
    name = _username(issuer.username, claims)
    groups = _groups(issuer.groups, claims)
    uid = _uid(issuer.uid, claims)
    extra = {key: values for key, program in issuer.extra if (values := _texts("extra", program, claims))}
    _check_required(issuer, claims)
    _check_rules(issuer.claim_rules, {"claims": claims}, "claim validation expression")
    shown = {"username": name, "uid": uid, "groups": groups, "extra": extra}
    present = {key: value for key, value in shown.items() if value}
    _check_rules(issuer.user_rules, {"user": present}, "user info validation rule")
    return user(name, groups, uid, {key: tuple(values) for key, values in extra.items()})


def _username(mapped: Mapped, claims: Claims) -> str:
    if mapped.expression is not None:
        name = _evaluated("username", mapped.expression, claims)
        if not isinstance(name, str):
            raise InvalidToken("oidc: error evaluating username claim expression: must return a string")
    else:
        name = mapped.prefix + _text_claim("username claims", mapped.claim, claims)
        if mapped.claim == "email" and claims.get("email_verified", True) is not True:
            raise InvalidToken("oidc: email not verified")
    if not name:
        raise InvalidToken("oidc: the username is empty")
    return name


def _groups(mapped: Mapped, claims: Claims) -> list[str]:
    if mapped.expression is not None:
        return _texts("group", mapped.expression, claims)
    value = claims.get(mapped.claim) if mapped.claim else None
    if value is None:
        return []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InvalidToken(f'oidc: parse groups claim "{mapped.claim}": must be a string or a list of strings')
    return [mapped.prefix + one for one in listed]


def _uid(mapped: Mapped, claims: Claims) -> str:
    if mapped.expression is not None:
        uid = _evaluated("uid", mapped.expression, claims)
        if not isinstance(uid, str):
            raise InvalidToken("oidc: error evaluating uid claim expression: must return a string")
        return uid
    return _text_claim("uid claim", mapped.claim, claims) if mapped.claim else ""


def _text_claim(what: str, name: str, claims: Claims) -> str:
    if name not in claims:
        raise InvalidToken(f'oidc: parse {what} "{name}": claim not present')
    if not isinstance(claims[name], str):
        raise InvalidToken(f'oidc: parse {what} "{name}": must be a string')
    return str(claims[name])


def _texts(what: str, program: Program, claims: Claims) -> list[str]:
    """A string, or a list of strings, without empty ones."""
    value = _evaluated(what, program, claims)
    listed = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        why = "expression must return a string or a list of strings"
        raise InvalidToken(f"oidc: error evaluating {what} claim expression: {why}")
    return [one for one in listed if one]


def _evaluated(what: str, program: Program, claims: Claims) -> Any:
    try:
        return program.evaluate({"claims": claims})
    except EvaluationError as error:
        raise InvalidToken(f"oidc: error evaluating {what} claim expression: {error}") from error


def _check_required(issuer: Issuer, claims: Claims) -> None:
    for name, wanted in issuer.required_claims:
        if name not in claims:
            raise InvalidToken(f"oidc: required claim {name} not present in ID token")
        if claims[name] != wanted:
            got = f"Got = {claims[name]}, want = {wanted}"
            raise InvalidToken(f"oidc: required claim {name} value does not match. {got}")


def _check_rules(rules: tuple[Rule, ...], variables: dict[str, Any], what: str) -> None:
    for rule in rules:
        try:
            holds = rule.expression.evaluate(variables)
        except EvaluationError as error:
            raise InvalidToken(f"oidc: error evaluating {what}: {error}") from error
        if holds is not True:
            said = f": {rule.message}" if rule.message else ""
            raise InvalidToken(
                f"oidc: error evaluating {what}: validation expression '{rule.expression.source}' failed{said}"
            )
