"""Text for `nft -f -`: a whole table, or what makes one table of another. Each text is one transaction. Pure.

A change costs what changed and not what there is: with a thousand services, one more endpoint is two rules. It also
leaves alone what the kernel keeps in the table, the clients of services with affinity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from skerry.engine.network.family import Family
from skerry.engine.network.tables import MAP_KEYS, SET_KEYS, Table


def whole(family: Family, table: Table) -> str:
    """Replaces whatever table of ours there is."""
    name, address = f"table {family.table}", family.address_type
    types = {one: keys.format(address=address) for one, keys in (MAP_KEYS | SET_KEYS).items()}
    maps = [_collection("map", one, f"{types[one]} : verdict", _gotos(table.maps[one])) for one in MAP_KEYS]
    sets = [_collection("set", one, types[one], sorted(table.sets[one])) for one in SET_KEYS]
    sticky = [f"set {_set_body(family, one, seconds)}" for one, seconds in table.affinity.items()]
    chains = [_chain(one, rules) for one, rules in (*table.chains.items(), *table.hooks.items())]
    body = "\n".join([*maps, *sets, *sticky, *chains])
    return f"{name}\ndelete {name}\n{name} {{\n{body}\n}}\n"


def change(family: Family, old: Table, new: Table) -> str:
    """Makes `new` of `old`, which is loaded; "" when they are the same. Only what depends on forwards may differ."""
    lines = [*_elements_away(old, new)]
    touched = [name for name, rules in new.chains.items() if old.chains.get(name) != rules]
    gone = [name for name in old.chains if name not in new.chains]
    lines += [f"flush chain {{table}} {name}" for name in (*touched, *gone) if name in old.chains]
    lines += [
        f"add set {{table}} {_set_body(family, name, new.affinity[name])}"
        for name in _beyond(new.affinity, old.affinity)
    ]
    lines += [f"add chain {{table}} {name}" for name in touched if name not in old.chains]
    lines += [f"add rule {{table}} {name} {rule}" for name in touched for rule in new.chains[name]]
    lines += _elements_here(old, new)
    lines += [f"delete chain {{table}} {name}" for name in reversed(gone)]
    lines += [f"delete set {{table}} {name}" for name in _beyond(old.affinity, new.affinity)]
    return "".join(line.replace("{table}", family.table, 1) + "\n" for line in lines)


def _elements_away(old: Table, new: Table) -> Iterable[str]:
    """Elements that are gone or lead elsewhere, before the chains they name change."""
    for name, elements in old.maps.items():
        now = new.maps[name]
        away = [key for key, chain in elements.items() if now.get(key) != chain]
        yield from _element("delete", name, sorted(away))
    for name, members in old.sets.items():
        yield from _element("delete", name, sorted(members - new.sets[name]))


def _elements_here(old: Table, new: Table) -> Iterable[str]:
    for name, elements in new.maps.items():
        before = old.maps[name]
        yield from _element("add", name, _gotos({key: to for key, to in elements.items() if before.get(key) != to}))
    for name, members in new.sets.items():
        yield from _element("add", name, sorted(members - old.sets[name]))


def _element(verb: str, collection: str, elements: Sequence[str]) -> Iterable[str]:
    if elements:
        yield f"{verb} element {{table}} {collection} {{ {', '.join(elements)} }}"


def _beyond(these: Collection[str], those: Collection[str]) -> list[str]:
    return [one for one in these if one not in those]


def _gotos(elements: Mapping[str, str]) -> list[str]:
    return [f"{key} : goto {chain}" for key, chain in sorted(elements.items())]


def _collection(sort: str, name: str, kind: str, elements: Sequence[str]) -> str:
    content = f"elements = {{ {', '.join(elements)} }}\n" if elements else ""
    return f"{sort} {name} {{\ntype {kind}\n{content}}}"


def _set_body(family: Family, name: str, seconds: int) -> str:
    return f"{name} {{ type {family.address_type}; flags dynamic,timeout; timeout {seconds}s; }}"


def _chain(name: str, rules: Sequence[str]) -> str:
    return "\n".join([f"chain {name} {{", *rules, "}"])
