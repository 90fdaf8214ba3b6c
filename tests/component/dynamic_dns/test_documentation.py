"""docs/resources/domain.md: its manifests and its configuration of DNS servers, as they are written there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from skerry.engine.definitions.domains import DEFINITIONS
from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj, Resource, copy_of, name_of
from skerry.kube.resources import INGRESSES, SECRETS
from tests.component.dynamic_dns.world import World, running_domains
from tests.support.dns_servers import Bind, DnsServerProcess, PowerDns, running
from tests.support.waiting import until

PAGE = (Path(__file__).parents[3] / "docs/resources/domain.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
OBJECTS: dict[str, Obj] = {obj["kind"]: obj for block in BLOCKS for obj in yaml.safe_load_all(block)}
CONFIGURATION = next(re.finditer(r"^```text\n(key .*?)^```", PAGE, re.M | re.S))[1]
COMMANDS = re.findall(r"^pdnsutil .*", PAGE, re.M)
ZONE, HOST = "dyn.cloud.example.org", "portal.dyn.cloud.example.org"
ADMISSION = "admissionregistration.k8s.io"
POLICIES = Resource(ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False)
BINDINGS = Resource(
    ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False
)


@pytest.fixture(params=["BIND", "PowerDNS"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DnsServerProcess]:
    written = CONFIGURATION.replace("/var/lib/bind/", f"{tmp_path}/")
    made = Bind(tmp_path, ZONE, written) if request.param == "BIND" else PowerDns(tmp_path, ZONE, COMMANDS)
    with running(made) as started:
        yield started


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running_domains() as started:
        await started.client.delete(SECRETS, "tsig", "kube-system")
        yield started


async def test_the_page_does_what_it_says(world: World, server: DnsServerProcess) -> None:
    await world.client.create(SECRETS, OBJECTS["Secret"], "kube-system")
    domain = copy_of(OBJECTS["Domain"])
    domain["spec"]["server"] = str(server.target)
    await world.client.create(DEFINITIONS[0].resource, domain)
    await world.ready(name="cloud")
    await world.client.create(INGRESSES, OBJECTS["Ingress"], "default")
    await world.reached(INGRESSES, "portal", "192.0.2.10")
    await until(lambda: server.values(HOST) == ["192.0.2.10"])
    mark = server.values(f"a-{HOST}", "TXT")[0]
    owner = (await world.client.get(DEFINITIONS[0].resource, "cloud"))["status"]["owner"]
    assert owner.startswith("skerry-")
    assert mark == f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=ingress/default/portal"'


async def test_its_policy_refuses_hosts_elsewhere(world: World) -> None:
    await world.client.create(POLICIES, OBJECTS["ValidatingAdmissionPolicy"])
    await world.client.create(BINDINGS, OBJECTS["ValidatingAdmissionPolicyBinding"])
    elsewhere = copy_of(OBJECTS["Ingress"])
    elsewhere["spec"]["rules"][0]["host"] = "portal.example.net"

    async def refused() -> bool:
        try:
            await world.client.create(INGRESSES, elsewhere, "default")
        except Invalid as error:
            return "hosts must be under dyn.cloud.example.org" in error.message
        await world.client.delete(INGRESSES, name_of(elsewhere), "default")
        return False

    await until(refused, "the policy")
    await world.client.create(INGRESSES, OBJECTS["Ingress"], "default")


def test_every_field_and_reason_is_on_the_page() -> None:
    fields = DEFINITIONS[0].spec["properties"]
    assert isinstance(fields, dict)
    assert [field for field in fields if f"`{field}" not in PAGE] == []
    assert [field for field in fields["tsig"]["properties"] if field not in PAGE] == []
    sources = (Path(__file__).parents[3] / "src/skerry/engine/controllers/dynamic_dns").glob("*.py")
    pattern = r'(?:DnsError|ServerTrouble|Refusal)\(\s*(?:[\w.]+,\s*[\w."]+,\s*)?"(\w+)"'
    reasons = {reason for path in sources for reason in re.findall(pattern, path.read_text())}
    in_other_words = {"Invalid", "NotOurs", "NameInUse", "NameTooLong"}  # of one host: in its message
    assert len(reasons) > 10
    assert [reason for reason in reasons - in_other_words if f"`{reason}`" not in PAGE] == []


def test_kubectl_explain_has_something_to_say_of_every_field() -> None:
    silent: list[str] = []

    def look(schema: Obj, path: str) -> None:
        for name, field in (schema.get("properties") or {}).items():
            if "description" not in field:
                silent.append(f"{path}.{name}")
            if "x-kubernetes-map-type" not in field:  # label selectors are known
                look(field, f"{path}.{name}")

    look(dict(DEFINITIONS[0].spec), "spec")
    look(dict(DEFINITIONS[0].status), "status")
    assert silent == []
