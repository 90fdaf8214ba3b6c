"""One provider, and we as its relying party: where to send a browser, what its answer is worth, what is so now.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0; RFC 7636; RFC 9207; RFC 9700). What somebody is
a member of is read from userinfo, where there is one, at sign-in as later, so that both say the same.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from skerry.kube.clock import Clock
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.identity.oidc.checking import claims_of, header_of
from skerry.platform.identity.oidc.claims import memberships_of, told_of
from skerry.platform.identity.oidc.fetching import Answer, Fetcher
from skerry.platform.identity.oidc.keys import Keys
from skerry.platform.identity.oidc.metadata import Metadata, address_of, read
from skerry.platform.identity.rules.told import Told
from skerry.platform.identity.types import OidcSettings
from skerry.platform.identity.vouching import Forged, NotVouched, ProviderDown

_OLD = timedelta(hours=1)  # metadata
_SHORT = timedelta(minutes=5)  # a token that does not say for how long


@record
class Begun:
    """A sign-in that was begun: kept here, bound to the browser, until the browser is back."""

    url: str
    """Where the browser goes."""
    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@record
class Tokens:
    """With which we ask again."""

    access: str
    expires: datetime
    refresh: str = ""
    id_claims: Obj | None = None
    """Of the ID token that came with them, checked."""


class Party:
    """For one IdentityProvider, as long as its settings are the same."""

    def __init__(self, settings: OidcSettings, secret: str, clock: Clock) -> None:
        """`secret`: "" for a public client. Raises ValueError: settings that cannot be."""
        self.settings, self.secret = settings, secret
        self._clock = clock
        self._fetcher = Fetcher(settings.ca)
        self._keys = Keys(self._fetcher, clock)
        self._metadata: Metadata | None = None
        self._read: datetime = clock.steady()
        self._one_at_a_time = asyncio.Lock()

    async def metadata(self, *, anew: bool = False) -> Metadata:
        """Kept for an hour. Raises ProviderDown."""
        async with self._one_at_a_time:
            if anew or self._metadata is None or self._clock.steady() - self._read >= _OLD:
                address = address_of(self.settings.issuer)
                answer = await self._fetcher.get(address)
                if not answer.is_right:
                    raise ProviderDown(f"{address} answers {answer.code}")
                self._metadata, self._read = read(answer.body, self.settings.issuer), self._clock.steady()
            return self._metadata

    async def begin(self, redirect_uri: str) -> Begun:
        """Raises ProviderDown."""
        known = await self.metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        scopes = wanted_scopes(self.settings.scopes, known.scopes)
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        if "offline_access" in scopes:
            query["prompt"] = "consent"  # OpenID Connect Core 1.0, 11: ignored without
        url = f"{known.authorization}{'&' if '?' in known.authorization else '?'}{urlencode(query)}"
        return Begun(url, state, nonce, verifier, redirect_uri)

    async def finish(self, begun: Begun, answer: Mapping[str, str]) -> tuple[Told, Tokens]:
        """`answer`: the query with which the browser came back. Raises Forged, NotVouched, ProviderDown."""
        known = await self.metadata()
        _check_answer(known, begun, answer)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
        }
        answered = await self._tokens(known, form)
        tokens = await self._read_tokens(known, answered, "")
        if tokens.id_claims is None:
            raise Forged("the provider gave no ID token: does spec.oidc.scopes have openid?")
        if not secrets.compare_digest(str(tokens.id_claims.get("nonce", "")), begun.nonce):
            raise Forged("the ID token answers another sign-in (nonce)")
        return told_of(await self._claims(tokens, str(tokens.id_claims["sub"])), self.settings), tokens

    async def memberships(self, tokens: Tokens, subject: str) -> Told:
        """What somebody is a member of now; no name. Raises NotVouched: the provider does not take the access token;
        Forged: it speaks of somebody else; ProviderDown."""
        return memberships_of(await self._claims(tokens, subject), self.settings)

    async def has_userinfo(self) -> bool:
        """Whether the provider can be asked; else only new ID tokens tell something new. Raises ProviderDown."""
        return bool((await self.metadata()).userinfo)

    async def refreshed(self, refresh: str, subject: str) -> Tokens:
        """New tokens for a refresh token. Raises NotVouched: it is not good any more; Forged, ProviderDown."""
        known = await self.metadata()
        answered = await self._tokens(known, {"grant_type": "refresh_token", "refresh_token": refresh})
        tokens = await self._read_tokens(known, answered, refresh)
        if tokens.id_claims is not None and tokens.id_claims["sub"] != subject:
            raise Forged("the refreshed ID token speaks of somebody else (sub)")
        return tokens

    async def revoke(self, refresh: str) -> None:
        """Tell the provider that a token is not needed any more (RFC 7009). Raises ProviderDown."""
        known = await self.metadata()
        if known.revocation and refresh:
            form, headers = self._shown(known, {"token": refresh, "token_type_hint": "refresh_token"})
            await self._fetcher.post(known.revocation, form, headers)

    async def close(self) -> None:
        """Let connections go."""
        await self._fetcher.close()

    async def _claims(self, tokens: Tokens, subject: str) -> Obj:
        known = await self.metadata()
        own = tokens.id_claims or {"sub": subject}
        if not known.userinfo:
            if tokens.id_claims is None:
                raise ProviderDown("the provider has no userinfo, and gives no ID token with a refreshed token")
            return own
        answer = await self._fetcher.get(known.userinfo, tokens.access)
        if answer.code in (401, 403):
            raise NotVouched("the provider does not take the access token any more")
        if not answer.is_right:
            raise ProviderDown(f"{known.userinfo} answers {answer.code}")
        if answer.body.get("sub") != subject:
            raise Forged("userinfo speaks of somebody else (sub)")
        return {**_without_memberships(own, self.settings), **answer.body}

    async def _tokens(self, known: Metadata, form: Mapping[str, str]) -> Obj:
        answer = await self._fetcher.post(known.token, *self._shown(known, form))
        if answer.is_right:
            return answer.body
        raise _refusal(known.token, answer)

    def _shown(self, known: Metadata, form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Form and headers that show who we are: RFC 6749, 2.3.1."""
        client = self.settings.client_id
        if not self.secret:
            return {**form, "client_id": client}, {}
        if known.secret_in_body:
            return {**form, "client_id": client, "client_secret": self.secret}, {}
        both = f"{quote(client, safe='')}:{quote(self.secret, safe='')}"
        return dict(form), {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}

    async def _read_tokens(self, known: Metadata, answered: Obj, refresh: str) -> Tokens:
        access, lifetime = answered.get("access_token"), answered.get("expires_in")
        if not isinstance(access, str) or str(answered.get("token_type", "")).lower() != "bearer":
            raise ProviderDown("the provider gave no bearer token")
        seconds = timedelta(seconds=lifetime) if isinstance(lifetime, int) and 0 < lifetime < 10**9 else _SHORT
        new = answered.get("refresh_token")
        id_token = answered.get("id_token")
        claims = await self._checked(known, id_token) if isinstance(id_token, str) else None
        return Tokens(access, self._clock.now() + seconds, new if isinstance(new, str) else refresh, claims)

    async def _checked(self, known: Metadata, id_token: str) -> Obj:
        keys = await self._keys.candidates(known.keys, header_of(id_token).get("kid"))
        return claims_of(id_token, keys, known.issuer, self.settings.client_id, self._clock.now())


def wanted_scopes(configured: list[str], known: frozenset[str]) -> list[str]:
    """What is asked for: `offline_access` only of those who know it, since some refuse what they do not know."""
    return [one for one in configured if one != "offline_access" or not known or one in known]


def _check_answer(known: Metadata, begun: Begun, answer: Mapping[str, str]) -> None:
    if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
        raise Forged("the answer belongs to another sign-in (state)")
    if answer.get("iss", known.issuer) != known.issuer or (known.names_itself and "iss" not in answer):
        raise Forged("the answer is another provider's (iss)")
    if "error" in answer:
        raise NotVouched(f"the provider refuses: {answer.get('error_description') or answer['error']}"[:300])
    if not answer.get("code"):
        raise Forged("the answer has no code")


def _refusal(address: str, answer: Answer) -> Exception:
    """`invalid_grant` is about the person; everything else about us or the provider (RFC 6749, 5.2)."""
    error = str(answer.body.get("error", answer.code))
    said = f"{error}: {answer.body.get('error_description', '')}".rstrip(": ")[:300]
    if error == "invalid_grant":
        return NotVouched(f"the provider does not vouch any more ({said})")
    return ProviderDown(f"{address} refuses us ({said})")


def _without_memberships(claims: Obj, settings: OidcSettings) -> Obj:
    names = {*settings.entitlement_claims, settings.groups_claim}
    return {name: value for name, value in claims.items() if name not in names}


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
