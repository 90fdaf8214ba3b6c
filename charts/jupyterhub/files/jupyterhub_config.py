"""How the hub runs in its pod. What the release's values say is in settings.json beside this file.

The hub's own state lasts as long as its pod, and so do people's servers: the pod owns theirs. So whatever ends the hub
(an upgrade, a stop, a project that sleeps, an uninstall) ends them too; homes stay.
"""

import json
import os
import sys
from pathlib import Path

PLACE = Path(__file__).resolve().parent
sys.path.insert(0, str(PLACE))

from who import Passwords, Platform  # noqa: E402

told = json.loads((PLACE / "settings.json").read_text())
release, tester, namespace = told["release"], told["tester"], os.environ["POD_NAMESPACE"]

c = get_config()  # noqa: F821  (JupyterHub runs this file with it)
c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = f"http://{release}-hub:8081"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 3}
c.ConfigurableHTTPProxy.command = ["configurable-http-proxy"]

c.JupyterHub.authenticator_class = Platform if told["guarded"] else Passwords
c.Authenticator.admin_users = set(told["admins"])
c.Authenticator.allow_all = True
c.Platform.ingress, c.Platform.namespace = release, namespace
c.Platform.nobody = c.Passwords.nobody = {tester}
c.Passwords.directory = "/run/passwords"

# a service of another name than the person: nobody may remove himself
c.JupyterHub.services = [{"name": "test", "api_token": os.environ["TEST_TOKEN"]}]
own = [f"{scope}!user={tester}" for scope in ("admin:users", "admin:servers", "access:servers")]
c.JupyterHub.load_roles = [{"name": "test", "services": ["test"], "scopes": own}]

texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in told["env"].items()}
if seconds := int(told["idleMinutes"] * 60):
    often = max(1, min(60, seconds // 4))
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={seconds}", f"--cull-every={often}"]
    c.JupyterHub.services.append({"name": "idle", "command": command})
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles.append({"name": "idle", "services": ["idle"], "scopes": scopes})
    # what somebody did must be known before it is judged
    c.JupyterHub.last_activity_interval = often
    texts.setdefault("JUPYTERHUB_ACTIVITY_INTERVAL", str(often))


def of_this_release(_, pod):
    """The hub's pod owns the server's, and what sums up releases finds it."""
    from kubernetes_asyncio.client import V1OwnerReference

    name, uid = os.environ["POD_NAME"], os.environ["POD_UID"]
    pod.metadata.owner_references = [V1OwnerReference(api_version="v1", kind="Pod", name=name, uid=uid)]
    if label := os.environ.get("RELEASE_LABEL"):
        pod.metadata.labels["skerry.dev/release"] = label
    return pod


c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.Spawner.default_url = "/lab"
# what is in braces would be taken for a template
c.Spawner.environment = {name: one.replace("{", "{{").replace("}", "}}") for name, one in texts.items()}
c.KubeSpawner.namespace = namespace
c.KubeSpawner.modify_pod_hook = of_this_release
c.KubeSpawner.image = told["image"]
c.KubeSpawner.image_pull_policy = "IfNotPresent"
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.working_dir = "/home/user"
c.KubeSpawner.pod_name_template = c.KubeSpawner.pvc_name_template = f"{release}--{{user_server}}"
c.KubeSpawner.common_labels = {
    "app.kubernetes.io/name": "jupyterhub-server",
    "app.kubernetes.io/instance": release,
    "app.kubernetes.io/managed-by": "kubespawner",
}
c.KubeSpawner.start_timeout = 300
c.KubeSpawner.http_timeout = 120
c.KubeSpawner.delete_grace_period = 5
c.KubeSpawner.extra_resource_guarantees = c.KubeSpawner.extra_resource_limits = told["resources"]
c.KubeSpawner.pod_security_context = {
    "runAsNonRoot": True,
    "runAsUser": told["runAsUser"],
    "runAsGroup": told["runAsUser"],
    "fsGroup": told["runAsUser"],
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
c.KubeSpawner.container_security_context = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
c.KubeSpawner.extra_pod_config = {"enableServiceLinks": False, "terminationGracePeriodSeconds": 5}
if told["envFromSecret"]:
    c.KubeSpawner.extra_container_config = {"envFrom": [{"secretRef": {"name": told["envFromSecret"]}}]}
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = told["storage"]["size"]
c.KubeSpawner.storage_access_modes = ["ReadWriteOnce"]
if told["storage"]["className"]:
    c.KubeSpawner.storage_class = told["storage"]["className"]
c.KubeSpawner.volumes = [
    {"name": "home", "persistentVolumeClaim": {"claimName": f"{release}--{{user_server}}"}},
    {"name": "tmp", "emptyDir": {}},
    *told["volumes"],
]
c.KubeSpawner.volume_mounts = [
    {"name": "home", "mountPath": "/home/user"},
    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (a volume of the pod)
    *told["mounts"],
]
