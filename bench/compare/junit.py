"""A comparison as a JUnit report, which CI systems show as tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from bench.compare import formatting, summary
from bench.compare.result import Comparison
from bench.compare.verdict import Verdict
from bench.printable import printable
from bench.render.labels import shorten_label


def junit(comparison: Comparison) -> str:
    """One test for each point, by metric; a refusal is an error, an open question is skipped."""
    root = ET.Element("testsuites", name="bench compare")
    failing = comparison.points.index.isin(comparison.regressions.index)
    points = comparison.points.assign(fails=failing)
    for metric, part in points.groupby("metric", sort=False):
        suite = ET.SubElement(root, "testsuite", name=shorten_label(str(metric), formatting.WIDTH))
        for row in formatting.records(part):
            _point(suite, row)
    others = ET.SubElement(root, "testsuite", name="results")
    _verdict(others, comparison)
    for item in comparison.missing:
        case = _case(others, item.suite, f"{item.curve}, {item.metric}")
        kind = "failure" if item.gated else "skipped"
        ET.SubElement(case, kind, message=formatting.missing(item))
    for refusal in comparison.refused:
        case = _case(others, refusal.suite, f"{refusal.metric}: {refusal.field}")
        ET.SubElement(case, "error", message=formatting.refusal(refusal))
    for suite in root:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
        suite.set("tests", str(len(suite)))
    _make_printable(root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _verdict(suite: ET.Element, comparison: Comparison) -> None:
    """The verdict on the whole: an error where nothing, or nothing named, was compared."""
    case = _case(suite, "bench compare", "verdict")
    headline = shorten_label(summary.headline(comparison), 1000)
    if comparison.unmet or not len(comparison.points):
        ET.SubElement(case, "error", message=headline)
    else:
        ET.SubElement(case, "system-out").text = headline


def _make_printable(root: ET.Element) -> None:
    """Escape what XML has no place for, such as the escape character, wherever it stands."""
    for element in root.iter():
        element.attrib = {name: printable(value) for name, value in element.attrib.items()}
        element.text = element.text and printable(element.text)


def _point(suite: ET.Element, row: Mapping[str, Any]) -> None:
    name = f"{formatting.curve(row)}, {formatting.metric(row)} at {formatting.where(row)} NFE"
    case = _case(suite, formatting.subject(row), name)
    base, head = (formatting.value(row, side) for side in ("base", "head"))
    numbers = f"{base} -> {head}, {formatting.change(row)}"
    if row["fails"]:
        message = f"{row['verdict']}: {numbers}, p = {formatting.p(row)}"
        ET.SubElement(case, "failure", message=message)
    elif row["verdict"] == Verdict.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=f"inconclusive: {numbers}; {formatting.advice(row)}")
    else:
        ET.SubElement(case, "system-out").text = f"{row['verdict']}: {numbers}"


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        classname=shorten_label(classname, formatting.WIDTH),
        name=shorten_label(name, 2 * formatting.WIDTH),
        time="0",
    )
