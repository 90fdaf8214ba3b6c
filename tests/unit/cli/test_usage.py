"""`skerry usage`: lines chosen and summed up, CSV, accounting records."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from skerry.cli.errors import CommandFailed
from skerry.cli.usage.egi import Publisher, message
from skerry.cli.usage.printed import Sheet, print_sheet
from skerry.cli.usage.records import Line, Period, grouped, lines_of
from skerry.kube.objects import Obj
from skerry.platform.usage.amounts import Amounts
from skerry.platform.usage.ledger.book import counted, new_day
from skerry.platform.usage.ledger.days import begin_of
from skerry.platform.usage.ledger.merging import new_month, with_days
from skerry.platform.usage.projects import Account
from skerry.platform.usage.types import hours_of

LIDAR = Account("lidar", "0123456789", 0)
ANNA, BEN = ("lidar", "anna"), ("lidar-test", "ben")
_HOUR = 3_600_000  # of one core, in thousandths of a core times seconds


def _day(day: date) -> Obj:
    tally = {ANNA: Amounts(cpu=_HOUR), BEN: Amounts(cpu=2 * _HOUR, memory=3600 * 1024)}
    return counted(new_day(LIDAR, day), tally, begin_of(day) + 60, {})


def test_lines_are_chosen_and_summed_up() -> None:
    days = [_day(date(2026, 11, 1)), _day(date(2026, 11, 2)), _day(date(2026, 11, 3))]
    lines = lines_of(days, [], Period(date(2026, 11, 2), date(2026, 11, 30)))
    assert {name: one.cpu // _HOUR for name, one in grouped(lines, "user").items()} == {"ben": 4, "anna": 2}
    assert list(grouped(lines, "day")) == ["2026-11-02", "2026-11-03"]
    assert list(grouped(lines, "namespace")) == ["lidar-test", "lidar"]
    assert {name: one.cpu // _HOUR for name, one in grouped(lines, "month").items()} == {"2026-11": 6}


def test_months_count_whole_and_once() -> None:
    days = [_day(date(2025, 1, 1)), _day(date(2025, 1, 2))]
    month = with_days(new_month("lidar", LIDAR.uid, "2025-01"), days)
    whole = lines_of(days, [month], Period(date(2025, 1, 1), date(2025, 1, 31)))
    assert {name: one.cpu // _HOUR for name, one in grouped(whole, "day").items()} == {"2025-01": 6}
    with pytest.raises(CommandFailed, match="of 2025-01 only the whole month is kept: begin with 2025-01-01"):
        lines_of(days, [month], Period(date(2025, 1, 2), date(2025, 2, 28)))
    assert lines_of([], [month], Period(date(2025, 2, 1), date(2025, 2, 28))) == []


def test_csv_is_for_spreadsheets(capsys: pytest.CaptureFixture[str]) -> None:
    hours = hours_of(Amounts(cpu=_HOUR, egress=1024**3)).dump()
    print_sheet(Sheet("user", {"anna, dr.": hours, "=1+1": hours}, hours), "csv")
    assert capsys.readouterr().out == (
        "user,cpuHours,memoryGibHours,gpuHours,storageGibHours,cpuUsedHours,egressGib\n"
        '"anna, dr.",1.0,0.0,0.0,0.0,0.0,1.0\n'
        "'=1+1,1.0,0.0,0.0,0.0,0.0,1.0\n"
    )


def test_tables_have_a_total(capsys: pytest.CaptureFixture[str]) -> None:
    hours = hours_of(Amounts(cpu=_HOUR)).dump()
    print_sheet(Sheet("user", {"": hours}, hours), "table")
    head, unknown, total = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["USER", "CPU-HOURS"]
    assert unknown.split()[:2] == ["(unknown)", "1.00"]
    assert total.split()[:2] == ["total", "1.00"]
    print_sheet(Sheet("user", {}, hours), "table")
    assert capsys.readouterr().out == "nothing was used in this time\n"


def test_accounting_records_are_apels() -> None:
    day, today = date(2026, 11, 1), date(2026, 11, 2)
    thirty_hours = Amounts(cpu=30 * _HOUR, memory=30 * 3600 * 2048, storage=86_400 * 10_240, egress=3 * 10**9)
    lines = [
        Line("lidar", day, "lidar", "anna@uni.example", thirty_hours),
        Line("lidar", today, "lidar", "anna@uni.example", Amounts(cpu=_HOUR, used_cpu=1_800_000)),
        Line("lidar", today, "lidar-test", "anna@uni.example", Amounts(cpu=_HOUR)),
        Line("lidar", today, "lidar", "ben", Amounts(storage=5)),
    ]
    publisher = Publisher("EXAMPLE-SITE", "skerry.example", "vo.example.eu")
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    header, *records = message(lines, publisher, now).split("\n", 1)
    assert header == "APEL-cloud-message: v0.4"
    parsed = [dict(line.split(": ", 1) for line in one.strip().splitlines()) for one in records[0].split("%%\n") if one]
    assert len(parsed) == 2
    first = {key: value for key, value in parsed[0].items() if key not in ("VMUUID", "CloudType")}
    assert first == {
        "SiteName": "EXAMPLE-SITE",
        "CloudComputeService": "skerry.example",
        "MachineName": "lidar/anna@uni.example/2026-11-01",
        "LocalUserId": "anna@uni.example",
        "LocalGroupId": "lidar",
        "GlobalUserName": "anna@uni.example",
        "FQAN": "vo.example.eu",
        "Status": "completed",
        "StartTime": "1793491200",
        "EndTime": "1793577599",
        "CpuCount": "2",
        "WallDuration": "54000",
        "CpuDuration": "108000",
        "Memory": "4096",
        "Disk": "10",
        "NetworkOutbound": "3",
    }
    assert (parsed[1]["Status"], parsed[1]["EndTime"], parsed[1]["WallDuration"]) == ("started", "0", "7200")
    assert parsed[1]["CpuDuration"] == "1800"
    assert message(lines, publisher, now) == message(lines[::-1], publisher, now)
    assert len({one["VMUUID"] for one in parsed}) == 2
    assert message([], publisher, now) == "APEL-cloud-message: v0.4\n"


def test_what_a_user_is_called_cannot_make_a_second_record() -> None:
    lines = [Line("lidar", date(2026, 11, 1), "lidar", "anna\n%%\nVMUUID: 1", Amounts(cpu=_HOUR))]
    text = message(lines, Publisher("EXAMPLE-SITE"), datetime(2026, 11, 2, tzinfo=UTC))
    assert text.count("%%\n") == 1
    assert text.count("\nVMUUID: ") == 1
