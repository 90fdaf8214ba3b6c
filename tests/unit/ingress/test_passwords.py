"""Which passwords of a Secret can be checked."""

from __future__ import annotations

import base64

from skerry.engine.network.ingress.passwords import accounts
from skerry.engine.network.ingress.settings import BasicAuth

HASH = "$2y$05$CH6AsPzQHj3DTTsGjsgHN.3OycNmq2HkaBDoypR1hYI/0np.5Ovg2"


def encoded(**data: str) -> dict[str, dict[str, str]]:
    return {"data": {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}}


def test_a_file_of_htpasswd() -> None:
    text = f"# people\nanna:{HASH}\n\nold:$apr1$a$b\nsha:{{SHA}}x\nplain:secret\n"
    assert accounts(BasicAuth("s"), encoded(auth=text)) == ({"anna": HASH}, ["old", "sha", "plain"])


def test_a_key_for_each_user() -> None:
    assert accounts(BasicAuth("s", is_map=True), encoded(anna=HASH, ben="x")) == ({"anna": HASH}, ["ben"])


def test_nothing_that_can_be_read_lets_nobody_in() -> None:
    assert accounts(BasicAuth("s"), {}) == ({}, [])
    assert accounts(BasicAuth("s"), {"data": {"auth": "not base64"}}) == ({}, [])
