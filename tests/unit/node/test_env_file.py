"""Files of variables: the syntax a shell shares, and how a container's environment takes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from skerry.engine.node.errors import ConfigError
from skerry.engine.node.spec.env_file import value_of
from skerry.engine.node.spec.environment import Sources, env_files, environment
from skerry.engine.node.volumes.subpath import read_inside
from tests.unit.node.test_environment import FACTS
from tests.unit.node.views import container

GOOD = [
    "   KEY='val'\n\t\tB='b'\n",
    "# comment\n\nB='foo'\n   # another\n\nKEY='bar'\n",
    "KEY='foo#not a comment'\nB='x'",
    "KEY='  foo  bar  '\n",
    "KEY='' # nothing\n",
    "KEY='a=b=c'\n",
    "KEY='bar' # a comment",
    "KEY='$HOME ${HOME} `id` \\n \\\\'\n",
    "KEY='one\n\n  # two\nthree '\nB='x'\n",
    'KEY=\'{"a": ["b"]}\'\n',
]


@pytest.mark.parametrize("text", GOOD)
def test_values_are_what_a_shell_reads(text: str) -> None:
    script = f'set -eu\n{text}\nprintf %s "$KEY"'
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert value_of(text, "KEY") == said.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KEY ='a'", "at line 1"),
        ("B='b'\nKEY= 'a'", "at line 2: value must be enclosed in single quotes"),
        ("='a'\nKEY='a'", "at line 1"),
        ("B='b'\nnonsense\nKEY='a'", "at line 2"),
        ("KEY=a", "value must be enclosed in single quotes"),
        ('KEY="a"', "value must be enclosed in single quotes"),
        ("KEY='a''b'", "unexpected content after closing quote"),
        ("KEY='a'b", "unexpected content after closing quote"),
        ("KEY='a", "unclosed single quote"),
    ],
)
def test_anything_else_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        value_of(text, "KEY")


def test_variables_from_files() -> None:
    def reading(key: str, **more: object) -> dict[str, object]:
        reference = {"volumeName": "work", "path": "env", "key": key, **more}
        return {"name": key, "valueFrom": {"fileKeyRef": reference}}

    asking = container(env=[reading("A"), reading("GONE", optional=True)])
    assert env_files(asking) == {("work", "env")}
    known = Sources({}, files={("work", "env"): "A='1'\n"})
    assert environment(FACTS, asking, known) == {"A": "1"}
    with pytest.raises(ConfigError, match='environment variable key "GONE" not found in file "env"'):
        environment(FACTS, container(env=[reading("GONE")]), known)
    with pytest.raises(ConfigError, match="not found"):
        environment(FACTS, container(env=[reading("A")]), Sources({}, files={("work", "env"): None}))


def test_files_are_read_inside_their_volume_only(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    (volume / "sub").mkdir(parents=True)
    (volume / "sub/env").write_text("A='1'")
    (volume / "link").symlink_to("sub/env")
    (volume / "out").symlink_to("/etc/hostname")
    assert read_inside(volume, "sub/env") == "A='1'"
    assert read_inside(volume, "link") == "A='1'"
    assert read_inside(volume, "nothing") is None
    for path in ("out", "sub"):
        with pytest.raises(ConfigError):
            read_inside(volume, path)
