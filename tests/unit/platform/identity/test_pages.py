"""Pages and where they may lead."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from skerry.platform.identity.login.authorizing import read
from skerry.platform.identity.login.forms import BadForm
from skerry.platform.identity.login.pages import Field, Page
from skerry.platform.identity.login.welcome import local_path


def _request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""})


def test_what_people_wrote_is_no_html() -> None:
    evil = '"><script>alert(1)</script>'
    page = Page(_request(), evil).says(evil).warns(evil).shows(evil).leads_to(evil, evil)
    page.asks(evil, [Field("name", evil, value=evil)], evil, hidden=evil)
    text = page.answer().body
    assert b"<script" not in bytes(text)
    assert b'">' + b"<s" not in bytes(text)


@pytest.mark.parametrize(
    "header", [(b"accept-language", b"de-CH, en;q=0.5"), (b"cookie", b"__Host-skerry-language=de")]
)
def test_pages_are_in_the_persons_language(header: tuple[bytes, bytes]) -> None:
    page = Page(_request(header), "A password for %(user)s", user="%s<b>").says("You are %(user)s.", user="anna")
    page.asks("/x", [Field("code", "Username (%(provider)s)", values={"provider": "Uni"})], "Allow")
    page.asks("/x", [Field("own", "Username (%(provider)s)", values={"provider": "this cluster"})], "Allow")
    page.warns("what nobody translated stays: 100%").warns("the two passwords differ")
    text = bytes(page.answer().body).decode()
    for said in (
        '<html lang="de">', "Ein Passwort für %s&lt;b&gt;", "Sie sind anna.", "Benutzername (Uni)", "stays: 100%",
        "Benutzername (dieser Cluster)",
        '<button name="answer" value="Allow">Erlauben', "Die beiden Passwörter sind verschieden.",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb: c", "", "evil", "/\t/evil.example"]
)
def test_nobody_is_led_elsewhere(path: str) -> None:
    assert local_path(path) == "/"
    assert local_path("/identity/device?user_code=AB") == "/identity/device?user_code=AB"


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/x",
        "https://127.0.0.1:1/x",
        "http://127.0.0.1:80@evil.example/",
        "http://127.0.0.1:80/?a=b",
        "http://127.0.0.1:80/#x",
        "http://localhost:80/",
        "http://127.0.0.1.evil.example:80/",
        "http://127.0.0.1:80/\n",
    ],
)
def test_codes_go_to_this_machine_only(uri: str) -> None:
    said = {
        "client_id": "skerry-cli",
        "response_type": "code",
        "code_challenge_method": "S256",
        "code_challenge": "x" * 43,
        "redirect_uri": uri,
    }
    with pytest.raises(BadForm, match="redirect_uri must be"):
        read(said)
    assert read({**said, "redirect_uri": "http://127.0.0.1:80/a"}).origin == "http://127.0.0.1:80"
