"""A translation as a Helm chart: what people change (images, replicas, storage, hosts, secrets) is values.

Secrets are in no template and not in values.yaml: `secrets.yaml` beside it has them, for `helm install --values`. Names
of objects stay those that the services know each other by, so a namespace has one release of the chart.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from secrets import token_hex
from typing import Any

from skerry.compose.translate import Translation
from skerry.compose.writing import SECRETS, dump, prepare, write_secrets
from skerry.kube.objects import Obj, copy_of, name_of

_CONTENT = "skerry.dev/content"
_OPENING = re.compile(r"\{\{")


def write_chart(made: Translation, directory: Path) -> list[Path]:
    """The files that were written. Raises OSError; FileExistsError when the directory has something in it."""
    prepare(directory)
    values = _Values()
    templates = {f"{name}.yaml": _template(objects, values) for name, objects in made.files.items() if objects}
    if made.secrets:
        templates[SECRETS] = _template(made.secrets, values)
    (directory / "templates").mkdir()
    files = {
        "Chart.yaml": dump([_chart(made.name)]),
        "values.yaml": dump([values.given]),
        "values.schema.json": json.dumps(_schema(values.given), indent=2) + "\n",
        **{f"templates/{name}": text for name, text in templates.items()},
    }
    if made.secrets:
        files |= {".helmignore": f"/{SECRETS}\n.git/\n", ".gitignore": f"/{SECRETS}\n"}
    for name, text in files.items():
        (directory / name).write_text(text)
    written = [directory / name for name in files]
    if made.secrets:
        written.append(write_secrets(directory / SECRETS, dump([{"secrets": values.secrets}])))
    return written


def _chart(name: str) -> Obj:
    return {
        "apiVersion": "v2",
        "name": name,
        "type": "application",
        "version": "0.1.0",
        "description": f"{name}, imported from Docker Compose",
    }


class _Values:
    """Collects values; each gives a mark that stands for it in the objects."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self._once = token_hex(8)  # nothing in the objects looks like a mark
        self.marks = re.compile(f"'?@{self._once} ([^@]+)@'?")

    def mark(self, kind: str, *path: str) -> str:
        """What stands in the objects for a reference of this kind."""
        return f"@{self._once} {' '.join((kind, *path))}@"

    def set(self, value: Any, *path: str) -> str:
        """The mark of a value."""
        at = self.given
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
        return self.mark("int" if isinstance(value, int) else "text", *path)

    def hide(self, value: str, *path: str) -> str:
        """The mark of a secret: empty in values.yaml."""
        self.secrets.setdefault(path[0], {})[path[1]] = value
        self.set("", "secrets", *path)
        return self.mark("secret", "secrets", *path)


def _template(objects: Iterable[Obj], values: _Values) -> str:
    """Text for Helm: what looks like a template in the objects stays as it is."""
    text = _OPENING.sub("{{ `{{` }}", dump(_marked(one, values) for one in objects))
    return values.marks.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    kind, *path = match[1].split(" ")
    if kind == "revision":
        return f"{path[0]}-{{{{ .Release.Revision }}}}"
    if kind == "digest":
        return "{{ .Values | toJson | sha256sum | trunc 16 | quote }}"
    value = f"(index .Values {' '.join(json.dumps(part) for part in path)})"
    if kind == "secret":
        wanted = json.dumps(f"give {'.'.join(path)}, as secrets.yaml does")
        return f"{{{{ required {wanted} {value} | quote }}}}"
    return f"{{{{ int {value} }}}}" if kind == "int" else f"{{{{ {value} | quote }}}}"


def _marked(obj: Obj, values: _Values) -> Obj:
    """A copy with marks in place of what people change."""
    made, name = copy_of(obj), name_of(obj)
    kind, spec = made["kind"], made.get("spec") or {}
    if kind in ("Deployment", "Job"):
        pod = spec["template"]
        (container,) = pod["spec"]["containers"]
        container["image"] = values.set(container["image"], "services", name, "image")
        if _CONTENT in (pod["metadata"].get("annotations") or {}):
            pod["metadata"]["annotations"][_CONTENT] = values.mark("digest")
    if kind == "Job":  # which cannot be changed: each revision has its own
        made["metadata"]["name"] = values.mark("revision", name)
    elif kind == "Deployment":
        spec["replicas"] = values.set(spec["replicas"], "services", name, "replicas")
    elif kind == "PersistentVolumeClaim":
        requests = spec["resources"]["requests"]
        requests["storage"] = values.set(requests["storage"], "storage", name)
    elif kind == "Ingress":
        for rule in spec["rules"]:
            rule["host"] = values.set(rule["host"], "hosts", name)
    elif kind == "Secret":
        _hidden(made, name, values)
    return made


def _hidden(secret: Obj, name: str, values: _Values) -> None:
    """All of it as values; what is no text stays encoded in them."""
    plain, encoded = dict(secret.pop("stringData", {})), {}
    for key, value in secret.pop("data", {}).items():
        try:
            plain[key] = base64.b64decode(value).decode()
        except UnicodeDecodeError:
            encoded[key] = value
    for part, content in (("stringData", plain), ("data", encoded)):
        if content:
            secret[part] = {key: values.hide(value, name, key) for key, value in content.items()}


def _schema(value: Any) -> Obj:
    """What values are: those that there are, and of their types."""
    if isinstance(value, dict):
        properties = {key: _schema(item) for key, item in value.items()}
        return {"type": "object", "properties": properties}
    return {"type": "integer", "minimum": 0} if isinstance(value, int) else {"type": "string"}
