"""`skerry identity explain` of manifests that are not applied: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from skerry.cli.main import main

EGI = "urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu"
PROVIDER = """\
apiVersion: skerry.dev/v1alpha1
kind: IdentityProvider
metadata: {name: egi}
spec:
  type: OIDC
  oidc: {issuer: "https://aai.egi.eu/auth/realms/egi", clientId: skerry}
  rules: [{match: "urn:mace:egi.eu:group:*", group: "vo/$1"}]
"""


def explained(folder: Path, manifest: str, *words: str) -> tuple[int, str]:
    file = folder / "provider.yaml"
    file.write_text(manifest)
    done = CliRunner().invoke(main, ["identity", "explain", "egi", "-f", str(file), *words])
    return done.exit_code, done.output


def test_what_rules_would_make_of_words(tmp_path: Path) -> None:
    code, output = explained(tmp_path, PROVIDER, EGI, "--group", "staff")
    assert code == 0
    assert "vo/vo.access.egi.eu" in output
    assert 'rule 1 ("urn:mace:egi.eu:group:*") makes vo/vo.access.egi.eu of urn:mace:egi.eu:group:vo.access' in output
    assert output.splitlines()[-1].split() == ["staff", "none", "no", "rule", "matches"]
    code, output = explained(tmp_path, PROVIDER, "-o", "json", EGI)
    assert json.loads(output)["groups"][-1] == "vo/vo.access.egi.eu"


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (PROVIDER.replace("OIDC", "SAML"), "spec.type: Input should be 'OIDC', 'LDAP' or 'Local'"),
        ("kind: Pod", "is no manifest of one IdentityProvider"),
        ("{", "is not YAML"),
    ],
)
def test_manifests_that_cannot_be_are_refused(tmp_path: Path, manifest: str, why: str) -> None:
    code, output = explained(tmp_path, manifest, "--group", "staff")
    assert (code, why in output) == (1, True), output


def test_something_has_to_be_said(tmp_path: Path) -> None:
    assert "give what the provider says: ENTITLEMENTS, --group or --user" in explained(tmp_path, PROVIDER)[1]
