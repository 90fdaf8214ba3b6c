"""Check "secrets": passwords, keys and tokens that stand in objects everybody may read.

Findings never repeat what they found. detect-secrets is not used: it costs 20 MB and 0.3 s, its settings are global to
the process, and its entropy plug-ins call every digest a secret. The shapes of well-known tokens are as their issuers
publish them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from skerry.checking.facts import Facts, kind_of
from skerry.checking.pods import pods_of
from skerry.checking.report import Finding, title
from skerry.kube.objects import Obj, annotations_of

_NAMED = re.compile(
    r"password|passwd|passphrase|(^|_)(pass|pwd|pw|secrets?|credentials?)(_|$)|token(_|$)|"
    r"(api|access|private|auth|encryption|signing|client|secret|master)_?key(_|$)",
    re.IGNORECASE,
)
"""Names, with underscores between their words, under which secrets are kept."""
_NOT_NAMED = re.compile(
    r"(^|_)(file|path|dir|name|url|uri|endpoint|issuer|host|port|user|username|enabled|ttl|timeout|expiry|expires|"
    r"expiration|length|size|min|max|type|algorithm|policy|header|audience|lifetime|duration|cert|crt|pub|"
    r"encryption|hash|hashing|strength|validation|authentication|auth|reset|change|command|script|label|hint|prompt|error|"
    r"id|ref|count|required|rotation|prefix|provider|method|mode|format|field|class|days|hours|minutes|seconds)$",
    re.IGNORECASE,
)
"""Names that talk of a secret without being one: by their last word."""
_HARMLESS = re.compile(
    r"^(|true|false|yes|no|none|null|\d{1,4}|\$\(.*\)|\$\{.*\}|\{\{.*\}\}|<.*>|/.*|\*+|x+|\.+)$", re.IGNORECASE
)
"""Values that are no secret: switches, references, placeholders, paths."""
_SHAPES = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{50}")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20}")),
    ("a Slack token", re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10}")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Stripe key", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{24}")),
    ("a PyPI token", re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z]{34}\b")),
    ("a JSON Web Token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s:/@$<{]{3,100}@")),
)
_OPTION = re.compile(r"^--?([A-Za-z][A-Za-z0-9_-]*)=(.+)$", re.DOTALL)
_LINE = re.compile(r"""^[ \t]*["']?([A-Za-z][\w.-]{1,60})["']?[ \t]*[:=][ \t]*["']?([^\s"',]{6,200})["']?,?[ \t]*$""",
                   re.MULTILINE)  # fmt: skip
_LONGEST = 64 * 1024
"""Characters of a value that are looked at."""
_RANDOM = 3.5
"""Bits per character from which a value looks drawn by lot."""
_TODO = "keep it in a Secret, and name that with secretKeyRef or a volume"


def secrets(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """What looks like a secret in pods' environments and arguments, and in ConfigMaps."""
    for obj in objects:
        about = title(obj)
        for path, what in (*_in_pods(obj), *_in_config_map(obj), *_in_annotations(obj)):
            yield Finding("Warning", "secrets", about, path, f"{what} in clear: who may see the object has it", _TODO)


def _in_pods(obj: Obj) -> Iterator[tuple[str, str]]:
    pods = pods_of(obj)
    for path, container in pods.containers() if pods else ():
        for index, one in enumerate(container.get("env") or ()):
            if what := secret_in(one["name"], one.get("value", "")):
                yield f"{path}.env[{index}].value", what
        for part in ("command", "args"):
            for index, word in enumerate(container.get(part) or ()):
                if what := _in_word(word):
                    yield f"{path}.{part}[{index}]", what


def _in_word(word: str) -> str:
    option = _OPTION.match(word)
    return secret_in(option[1], option[2]) if option else shaped(word)


def _in_config_map(obj: Obj) -> Iterator[tuple[str, str]]:
    if kind_of(obj) != ("v1", "ConfigMap"):
        return
    for key, value in obj.get("data", {}).items():
        what = secret_in(key, value) if "\n" not in value.strip() else shaped(value) or _in_lines(value)
        if what:
            yield f"data[{key}]", what


def _in_annotations(obj: Obj) -> Iterator[tuple[str, str]]:
    for key, value in annotations_of(obj).items():
        if what := shaped(value):
            yield f"metadata.annotations[{key}]", what


def _in_lines(text: str) -> str:
    """A file of settings: a line whose name and value are those of a secret."""
    found = (match[1] for match in _LINE.finditer(text[:_LONGEST]) if _is_secret(match[1], match[2]))
    name = next(found, "")
    return f"the value of {name}" if name else ""


def secret_in(name: str, value: str) -> str:
    """What a named value is that should not stand in clear; "" for no secret."""
    return shaped(value) or (f"the value of {name}" if _is_secret(name, value) else "")


def _is_secret(name: str, value: str) -> bool:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_")
    if _HARMLESS.match(value.strip()):
        return False
    if _NAMED.search(plain) and not _NOT_NAMED.search(plain):
        return True
    return plain.lower().endswith(("_key", "_salt", "_pat")) and len(value) >= 16 and entropy(value) > _RANDOM


def shaped(value: str) -> str:
    """What a value is by its shape alone: "a private key"; "" for nothing known."""
    return next((what for what, shape in _SHAPES if shape.search(value[:_LONGEST])), "")


def entropy(value: str) -> float:
    """Shannon's, in bits per character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
