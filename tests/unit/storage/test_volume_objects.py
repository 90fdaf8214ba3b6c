"""The PersistentVolume that is made for a claim."""

from __future__ import annotations

from skerry.engine.storage.contract import Volume
from skerry.engine.storage.provisioning.parameters import Parameters
from skerry.engine.storage.provisioning.volume_object import volume_object
from skerry.kube.objects import Obj


def made_for(*modes: str) -> Obj:
    metadata = {"name": "data", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    claim = {"metadata": metadata, "spec": {"accessModes": list(modes)}}
    return volume_object(
        claim, {"metadata": {"name": "era5"}}, "some.driver", Parameters({}, "", None, {}), Volume("h", 1)
    )


def test_a_claim_that_only_reads_gets_a_volume_that_only_reads() -> None:
    assert made_for("ReadOnlyMany")["spec"]["csi"] == {"driver": "some.driver", "volumeHandle": "h", "readOnly": True}
    for modes in (("ReadWriteOnce",), ("ReadOnlyMany", "ReadWriteOnce")):
        assert "readOnly" not in made_for(*modes)["spec"]["csi"]
