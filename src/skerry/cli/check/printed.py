"""A report for people (file, line, what, what to do), for programs, and for services that show SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from skerry import __version__
from skerry.checking.checks import NAMES
from skerry.checking.report import Finding, Report, title
from skerry.cli.check.sources import Sourced
from skerry.cli.printing import print_document

_LEVELS = {"Error": "error", "Warning": "warning", "Info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_Places = Mapping[str, Sourced]


def print_report(report: Report, given: Sequence[Sourced], output: str) -> None:
    """Print it. `given`: what was checked, for its places."""
    places: dict[str, Sourced] = {}
    for one in given:
        places.setdefault(title(one.obj), one)
    if output == "text":
        for finding in report.findings:
            click.echo(_line(finding, places))
        number = len(given)
        click.echo(f"{number} {'object' if number == 1 else 'objects'}: {report.summary}")
    elif output == "sarif":
        print_document(_sarif(report, places), "json")
    else:
        document = report.to_json()
        for finding, shown in zip(report.findings, document["findings"], strict=True):
            shown |= dict(zip(("file", "line"), _place(finding, places), strict=True))
        print_document(document, output)


def _place(finding: Finding, places: _Places) -> tuple[str, int]:
    """File and line; "" and 0 for what is about no object."""
    sourced = places.get(finding.object)
    return (sourced.file, sourced.line(finding.path)) if sourced is not None else ("", 0)


def _line(finding: Finding, places: _Places) -> str:
    file, line = _place(finding, places)
    where = f"{file}:{line}: " if line else f"{file}: " if file else ""
    return f"{where}{finding.severity.lower()}: {finding} [{finding.check}]"


def _sarif(report: Report, places: _Places) -> dict[str, Any]:
    driver = {"name": "skerry check", "version": __version__, "rules": [{"id": name} for name in NAMES]}
    results = [_result(finding, places) for finding in report.findings]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding, places: _Places) -> dict[str, Any]:
    file, line = _place(finding, places)
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": _LEVELS[finding.severity],
        "message": {"text": str(finding)},
    }
    if file and file != "-":
        place: dict[str, Any] = {"artifactLocation": {"uri": file}}
        if line:
            place["region"] = {"startLine": line}
        result["locations"] = [{"physicalLocation": place}]
    return result
