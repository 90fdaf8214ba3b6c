"""What the next engine takes over of a pod whose driver, somebody else's, has not come back yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.storage.mounting import pods as mounting
from skerry.engine.storage.mounting.errors import MountError
from skerry.engine.storage.mounting.journal import Journal, Published
from skerry.engine.storage.mounting.pods import PodMounts
from skerry.engine.storage.registry import Drivers
from skerry.kube.errors import NotFound
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers

POD = {
    "metadata": {"name": "web", "namespace": "team", "uid": "u"},
    "spec": {
        "containers": [{"name": "main", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}],
    },
}


class Api:
    """Has no claim."""

    async def get(self, *_: object) -> None:
        raise NotFound("not here")


@pytest.mark.parametrize("mounted", [True, False])
async def test_by_the_mount_table_and_not_by_its_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounted: bool
) -> None:
    """A reboot takes mounts away and leaves the notes: a container on the empty place would write into nothing."""
    target = tmp_path / "target"
    noted = Published("u", ("team", "web"), "data", "pv", "csi.example", "h", target, ("team", "mine"), done=True)
    await Journal(tmp_path / "storage").publish(noted)
    monkeypatch.setattr(mounting, "is_mounted", lambda place: mounted and place == target)
    api: Any = Api()
    config = EngineConfig("7e57", Paths(tmp_path, tmp_path / "run"), "here", "", 0, "10.96.0.0/16", "10.112.0.0/16")
    mounts = PodMounts(config, api, Informers(api), Recorder(api, config.clock, "kubelet"), Drivers())
    await mounts.start()
    if mounted:
        assert await mounts.set_up(POD) == {"data": target}
    else:
        with pytest.raises(MountError, match='persistentvolumeclaim "mine" not found'):
            await mounts.set_up(POD)
    await mounts.close()
