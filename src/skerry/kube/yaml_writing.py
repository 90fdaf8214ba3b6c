"""YAML for people: texts of several lines as they would write them, nothing that refers to something else."""

from __future__ import annotations

from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]
    """What stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never refer."""
        del data
        return True


def _text(dumper: Any, value: str) -> yaml.Node:
    node: yaml.Node = dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)
    return node


_Dumper.add_representer(str, _text)


def write_yaml(*documents: Any, width: int = 100) -> str:
    """As documents of YAML."""
    return str(yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width))
