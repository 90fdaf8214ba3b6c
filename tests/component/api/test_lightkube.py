"""lightkube's apply, which is server-side."""

from __future__ import annotations

import asyncio

import pytest
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap

from tests.support.api import RunningApi

pytestmark = [
    # the client leaves its sockets to the garbage collector, which may come at any line
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


async def test_apply(api: RunningApi) -> None:
    def use() -> None:
        client = Client(config=KubeConfig.from_file(str(api.kubeconfig)), field_manager="one")

        def config_map(**data: str) -> ConfigMap:
            return ConfigMap(metadata=ObjectMeta(name="c", namespace="default"), data=data)

        assert client.apply(config_map(a="1")).data == {"a": "1"}
        assert client.apply(config_map(b="2")).data == {"b": "2"}
        with pytest.raises(ApiError) as caught:
            client.apply(config_map(b="3"), field_manager="two")
        assert caught.value.status.message == 'Apply failed with 1 conflict: conflict with "one": .data.b'
        assert client.apply(config_map(b="3"), field_manager="two", force=True).data == {"b": "3"}

    await asyncio.to_thread(use)
