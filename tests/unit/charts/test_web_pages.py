"""The charts web-application and static-site: what their values come to."""

from __future__ import annotations

import json

from tests.support.charts import CHARTS, rendered, template, the

WEB = CHARTS / "web-application"
SITE = CHARTS / "static-site"


def test_an_image_of_ones_own() -> None:
    values = ("image=registry.example/shop:2", "port=3000", "replicas=3", "env.MODE=fast", "envFromSecret=keys")
    deployment = the(rendered(WEB, *values, 'command=["sh","-c"]', "healthPath=/well"), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 3
    assert container["image"] == "registry.example/shop:2"
    assert container["command"] == ["sh", "-c"]
    assert container["ports"] == [{"name": "http", "containerPort": 3000}]
    assert container["env"] == [{"name": "MODE", "value": "fast"}]
    assert container["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/well", "port": "http"}


def test_data_is_kept_by_one_pod_at_a_time_and_beyond_the_release() -> None:
    objects = rendered(WEB, "storage.enabled=true", "storage.size=3Gi", "storage.path=/srv", "storage.className=memory")
    claim, deployment = the(objects, "PersistentVolumeClaim"), the(objects, "Deployment")
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    assert claim["spec"]["storageClassName"] == "memory"
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {"name": "data", "mountPath": "/srv"} in container["volumeMounts"]
    assert [one for one in rendered(WEB) if one["kind"] == "PersistentVolumeClaim"] == []


def test_text_in_a_value_stays_text() -> None:
    """No value can add to the manifest what the form does not offer."""
    sneaky = 'x"\n          securityContext: {privileged: true}\n          y: "'
    objects = rendered(WEB, f'env={{"A":{json.dumps(sneaky)}}}')
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "A", "value": sneaky}]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_pages_are_files_also_in_directories() -> None:
    pages = '{"index.html":"<h1>1 & 2</h1>","people/index.html":"p: {{ .Values }}"}'
    objects = rendered(SITE, f"pages={pages}")
    config, deployment = the(objects, "ConfigMap"), the(objects, "Deployment")
    assert config["data"]["index.html"] == "<h1>1 & 2</h1>"
    assert config["data"]["people__index.html"] == "p: {{ .Values }}"
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    (site,) = [volume for volume in volumes if volume["name"] == "site"]
    assert {"key": "people__index.html", "path": "people/index.html"} in site["configMap"]["items"]


def test_other_pages_make_other_pods() -> None:
    def mark(text: str) -> object:
        pod = the(rendered(SITE, f'pages={{"index.html":"{text}"}}'), "Deployment")["spec"]["template"]
        return pod["metadata"]["annotations"]["skerry.dev/pages"]

    assert mark("one") == mark("one") != mark("two")


def test_a_volume_instead_of_pages() -> None:
    objects = rendered(SITE, "claim=pictures", "directory=public/2026", "listing=true")
    assert [one for one in objects if one["kind"] == "ConfigMap"] == []
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    (site,) = [volume for volume in pod["volumes"] if volume["name"] == "site"]
    assert site["persistentVolumeClaim"] == {"claimName": "pictures", "readOnly": True}
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "site"]
    assert (mount["subPath"], mount["readOnly"]) == ("public/2026", True)
    assert pod["containers"][0]["env"] == [{"name": "LISTING", "value": "enable"}]


def test_paths_that_lead_out_are_refused() -> None:
    for value in ("directory=../other", "directory=/etc", 'pages={"../x":"y"}', 'pages={"a/../../x":"y"}'):
        assert template(SITE, value).returncode != 0, value
