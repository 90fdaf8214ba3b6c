"""Objects for the stores' tests: small JSON documents that say which key and revision they are."""

from __future__ import annotations

from skerry.engine.store.contract import Encode, Entry, Key, Store


def key(name: str, namespace: str = "default", resource: str = "configmaps") -> Key:
    return Key(resource, namespace, name)


def body(text: str = "", size: int = 0) -> Encode:
    """An encoder of an object carrying `text` and at least `size` bytes."""

    def encode(revision: int) -> bytes:
        return b'{"metadata":{"resourceVersion":"%d"},"text":"%s"}' % (revision, text.encode() + b"x" * size)

    return encode


def text_of(entry: Entry | None) -> str:
    assert entry is not None
    return str(entry.decode()["text"])


async def put(store: Store, key: Key, text: str = "", size: int = 0) -> Entry:
    """Create or replace."""
    entry = store.get(key)
    if entry is None:
        return await store.create(key, body(text, size))
    return await store.update(key, body(text, size), entry.revision)


async def remove(store: Store, key: Key) -> Entry:
    entry = store.get(key)
    assert entry is not None
    return await store.delete(key, body("gone"), entry.revision)
