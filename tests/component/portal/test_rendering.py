"""Charts rendered by the real Helm while somebody types values: what they must not reach."""

from __future__ import annotations

from pathlib import Path

from skerry.portal.launching.rendering import Renderer
from tests.support.kept_charts import packed

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


async def test_a_schema_reads_no_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text('{"properties": {"guess": {"const": "what nobody may know"}}}')
    files = {"values.schema.json": f'{{"$ref": "file://{tmp_path}/kept.json"}}', "templates/a.yaml": CONFIG}
    rendered = await Renderer().render(packed("app", "1.0.0", files), "app", "lidar", {"guess": "x"})
    assert (rendered.failure, list(rendered.complaints)) == ("", [])
    assert [one["kind"] for one in rendered.objects] == ["ConfigMap"]
