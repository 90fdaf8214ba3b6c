"""An nftables table as data, and the text for `nft -f -` that makes it, or that makes it of another one. Pure.

A change costs what changed and not what there is. Each text is one transaction: packets are judged by the old table or
by the new one, never by something in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """`maps` lead from an address to a chain."""

    name: str
    maps: Mapping[str, Mapping[str, str]]
    sets: Mapping[str, frozenset[str]]
    types: Mapping[str, str]
    """Of each map and set."""
    chains: Mapping[str, Sequence[str]]
    """Rules by chain; a chain goes only to chains that come before it."""
    hooks: Mapping[str, Sequence[str]]
    """Chains that never change, with their rules."""


def whole(table: Table) -> str:
    """Replaces whatever table of that name there is."""
    name = f"table inet {table.name}"
    parts = [_collection("map", table, one, _gotos(elements)) for one, elements in table.maps.items()]
    parts += [_collection("set", table, one, elements) for one, elements in table.sets.items()]
    parts += [_chain(one, rules) for one, rules in (*table.chains.items(), *table.hooks.items())]
    body = "\n".join(parts)
    return f"{name}\ndelete {name}\n{name} {{\n{body}\n}}\n"


def change(old: Table, new: Table) -> str:
    """Makes `new` of `old`, which is loaded; "" when they are the same. Maps and hooks are there in both."""
    touched = [name for name, rules in new.chains.items() if old.chains.get(name) != rules]
    gone = [name for name in old.chains if name not in new.chains]
    lines = [
        *_elements_away(old, new),
        *(f"flush chain inet {new.name} {name}" for name in (*touched, *gone) if name in old.chains),
        *(_new_set(new, name) for name in new.sets if name not in old.sets),
        *(f"add chain inet {new.name} {name}" for name in touched if name not in old.chains),
        *(f"add rule inet {new.name} {name} {rule}" for name in touched for rule in new.chains[name]),
        *_elements_here(old, new),
        *(f"delete chain inet {new.name} {name}" for name in reversed(gone)),
        *(f"delete set inet {new.name} {name}" for name in old.sets if name not in new.sets),
    ]
    return "".join(line + "\n" for line in lines)


def _elements_away(old: Table, new: Table) -> Iterable[str]:
    """Elements that are gone or lead elsewhere, before the chains they name change."""
    for name, elements in old.maps.items():
        now = new.maps[name]
        yield from _elements("delete", new, name, [key for key, chain in elements.items() if now.get(key) != chain])
    for name, members in old.sets.items():
        if name in new.sets:
            yield from _elements("delete", new, name, members - new.sets[name])


def _elements_here(old: Table, new: Table) -> Iterable[str]:
    for name, elements in new.maps.items():
        before = old.maps[name]
        fresh = {key: to for key, to in elements.items() if before.get(key) != to}
        yield from _elements("add", new, name, _gotos(fresh))
    for name, members in new.sets.items():
        if name in old.sets:
            yield from _elements("add", new, name, members - old.sets[name])


def _elements(verb: str, table: Table, name: str, elements: Iterable[str]) -> Iterable[str]:
    if listed := sorted(elements):
        yield f"{verb} element inet {table.name} {name} {{ {', '.join(listed)} }}"


def _new_set(table: Table, name: str) -> str:
    return f"add set inet {table.name} {name} {{ type {table.types[name]}; {_content(table.sets[name])} }}"


def _gotos(elements: Mapping[str, str]) -> list[str]:
    return [f"{key} : goto {chain}" for key, chain in elements.items()]


def _collection(sort: str, table: Table, name: str, elements: Iterable[str]) -> str:
    return f"{sort} {name} {{\ntype {table.types[name]}\n{_content(elements)}\n}}"


def _content(elements: Iterable[str]) -> str:
    listed = sorted(elements)
    return f"elements = {{ {', '.join(listed)} }}" if listed else ""


def _chain(name: str, rules: Sequence[str]) -> str:
    return "\n".join([f"chain {name} {{", *rules, "}"])
