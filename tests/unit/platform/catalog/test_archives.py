"""Archives that came from anywhere: what is refused, and that nothing else happens."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.platform.catalog.charts.archive import LARGEST_UNPACKED, read_chart
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.charts.packing import pack

CHART = b"apiVersion: v2\nname: app\nversion: 1.0.0\n"
Members = list[tuple[tarfile.TarInfo, bytes]]


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(content), link
    return info, content


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue())


def app(*more: tuple[tarfile.TarInfo, bytes]) -> bytes:
    return archive(member("app/Chart.yaml", CHART), *more)


def bomb() -> bytes:
    return gzip.compress(b"\0" * (LARGEST_UNPACKED + 1024))


def cut() -> bytes:
    whole = app()
    return whole[: len(whole) // 2]


def sparse() -> bytes:
    """An old GNU header that claims eight gigabytes for 512 bytes."""
    info = tarfile.TarInfo("app/big")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        chart, content = member("app/Chart.yaml", CHART)
        tar.addfile(chart, io.BytesIO(content))
        raw.write(bytes(header))
    return gzip.compress(raw.getvalue())


def nested() -> bytes:
    """Headers about headers about headers."""
    header = tarfile.TarInfo("app/x")
    header.type = tarfile.XHDTYPE
    return gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) * 5000)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: app(member("app/../../etc/passwd", b"x")), "leads out of the chart"),
        (lambda: app(member("/etc/passwd", b"x")), "leads out of the chart"),
        (lambda: app(member("..\\x", b"x")), "leads out of the chart"),
        (lambda: app(member("app/values.yaml", kind=tarfile.SYMTYPE, link="/etc/shadow")), "links and devices"),
        (lambda: app(member("app/values.yaml", kind=tarfile.LNKTYPE, link="app/Chart.yaml")), "links and devices"),
        (lambda: app(member("app/null", kind=tarfile.CHRTYPE)), "links and devices"),
        (sparse, "links and devices"),
        (lambda: app(member("other/values.yaml", b"x")), "one folder at its top"),
        (lambda: archive(member("app/values.yaml", b"x")), "no Chart.yaml"),
        (lambda: archive(member("app/Chart.yaml", b"name: ../x\nversion: 1.0.0")), "cannot be the name of a chart"),
        (lambda: archive(member("app/Chart.yaml", b"name: app\nversion: new")), "is no version"),
        (lambda: archive(member("app/Chart.yaml", b"[" * 20000)), "not YAML"),
        (lambda: archive(*(member(f"app/{n}", b"") for n in range(5001))), "more than 5000 files"),
        (bomb, "unpacks to more than 20 MiB"),
        (cut, "cut off"),
        (nested, "no tar"),
        (lambda: app() + app(member("app/values.yaml", b"x")), "follows the archive"),
        (lambda: b"PK\3\4", "no gzip"),
        (lambda: gzip.compress(b"no tar at all" * 100), "no tar"),
        (lambda: b"x" * (900 * 1024 + 1), "fit into an object"),
    ],
)  # fmt: skip
def test_what_no_chart_needs_is_refused(make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(BadChart, match=why):
        read_chart(make())


def test_what_is_shown_of_a_chart_is_bounded_and_harmless() -> None:
    text = (
        b"name: app\nversion: 1.0.0\nappVersion: 7\ndescription: " + b"d" * 5000 + b"\nicon: javascript:alert(1)\n"
        b"home: 'data:text/html,x'\nkeywords: [a, null, {b: c}]\nmaintainers: [x, {name: A, url: 'javascript:1'}]\n"
    )
    chart = read_chart(
        archive(member("app/Chart.yaml", text), member("app/README.md", b"# hi"), member("app/a/b", b""))
    )
    facts = chart.facts
    assert (facts.app_version, len(facts.description), facts.icon, facts.home) == ("7", 1000, "", "")
    assert facts.keywords == ("a",)
    assert [(one.name, one.url) for one in facts.maintainers] == [("A", "")]
    assert set(chart.files) == {"Chart.yaml", "README.md"}


def test_files_beside_an_archive_leave_room_for_it() -> None:
    chart = read_chart(app(member("app/README.md", b"r" * 101 * 1024), member("app/values.yaml", b"a: 1\n")))
    assert set(chart.files) == {"Chart.yaml", "values.yaml"}


def test_a_picture_beside_the_chart_is_its_icon() -> None:
    assert read_chart(app(member("app/icon.svg", b"<svg/>"))).facts.icon == "data:image/svg+xml;base64,PHN2Zy8+"


class TestPacking:
    def chart(self, root: Path, name: str = "app", more: str = "") -> Path:
        folder = root / name
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}")
        (folder / "templates" / "a.yaml").write_text("a: 1\n")
        return folder

    def names(self, packed: bytes) -> list[str]:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            return tar.getnames()

    def test_the_same_files_are_the_same_bytes(self, tmp_path: Path) -> None:
        one, other = self.chart(tmp_path / "1"), self.chart(tmp_path / "2")
        assert pack(one, one) == pack(other, other)

    def test_what_is_ignored_stays_out_and_charts_beside_it_come_along(self, tmp_path: Path) -> None:
        self.chart(tmp_path, "common", "type: library\n")
        more = "dependencies: [{name: common, version: '1', repository: 'file://../common'}]\n"
        folder = self.chart(tmp_path, "app", more)
        (folder / ".helmignore").write_text("# notes\n*.bak\nnotes/\n!keep.bak\n/docs/*.md\n/top\n")
        for name in (
            "a.bak",
            "keep.bak",
            "notes/x",
            "templates/.hidden",
            "docs/a.md",
            "docs/b/c.md",
            "top",
            "docs/top",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")
        assert self.names(pack(folder, tmp_path)) == [
            "app/Chart.yaml", "app/docs/b/c.md", "app/docs/top", "app/keep.bak", "app/templates/a.yaml",
            "app/charts/common/Chart.yaml", "app/charts/common/templates/a.yaml",
        ]  # fmt: skip

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        for name, target in (("values.yaml", "/etc/hostname"), ("folder", "/etc"), ("Chart.yaml", "/etc/passwd")):
            folder = self.chart(tmp_path / name)
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)
            with pytest.raises(BadChart, match="links are not followed"):
                pack(folder, tmp_path)

    def test_dependencies_that_are_elsewhere_are_named(self, tmp_path: Path) -> None:
        outside = self.chart(tmp_path / "outside", "common")
        wanted = f"dependencies: [{{name: common, repository: 'file://{outside}'}}]\n"
        with pytest.raises(BadChart, match="its dependency common is not at"):
            folder = self.chart(tmp_path / "in", "app", wanted)
            pack(folder, tmp_path / "in")
        wanted = "dependencies: [{name: redis, repository: 'https://charts.example'}]\n"
        with pytest.raises(BadChart, match="run `helm dependency build`"):
            folder = self.chart(tmp_path / "far", "app", wanted)
            pack(folder, folder)
