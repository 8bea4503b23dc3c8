"""The page in a browser: no error, nothing from outside, and filters that filter."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.report import Report

BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium"),
    pytest.mark.timeout(300),
]

PROBE = """
<script>
(() => {
  const at = (selector) => [...document.querySelectorAll(selector)];
  const visible = (selector) => at(selector).filter((e) => !e.closest(".off")).length;
  const form = document.querySelector(".filters");
  const field = (name) => form.querySelector(`[data-filter="${name}"]`);
  const set = (name, value) => {
    field(name).value = value;
    field(name).dispatchEvent(new Event("input", { bubbles: true }));
  };
  const state = () => [visible("section[data-model]"), visible('svg [data-k="line"]'),
    visible('svg [data-k="mark"] use'), visible("tr[data-c]"),
    visible("table[data-budgets] thead th")];
  const found = { hidden: form.hidden, all: state() };
  set("model", "mnist_unet"); found.model = state(); set("model", "");
  set("curve", "DPMPP, heun"); found.curve = state(); set("curve", "");
  set("budget", "20"); found.budget = state();
  found.strokes = visible('svg [data-k="stroke"]');
  found.places = [...new Set(at('svg [data-k="mark"] use:not(.off)').map((e) => e.dataset.b))];
  set("budget", "");
  at('svg [data-k="key"]')[0].dispatchEvent(new MouseEvent("click", { bubbles: true }));
  found.picked = form.querySelector("output").textContent;
  form.reset();
  setTimeout(() => {
    found.again = state();
    document.body.dataset.found = JSON.stringify(found);
  });
})();
</script>
"""


def load(page: Path, scratch: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The page, loaded without a network."""
    command = [
        str(BROWSER),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={scratch}",
        "--virtual-time-budget=5000",
        *options,
        "--dump-dom",
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_the_console_stays_empty(report: Report, tmp_path: Path) -> None:
    done = load(report.page, tmp_path)
    assert "11 of" not in done.stdout
    assert "10 of 10 samplers" in done.stdout  # the script ran under the page's own policy
    assert "CONSOLE" not in done.stderr


def test_filters_show_and_hide(report: Report, tmp_path: Path) -> None:
    import html
    import json

    page = tmp_path / "page.html"
    text = report.page.read_text(encoding="utf-8")
    open_to_the_probe = re.sub(r"<meta http-equiv=[^>]*>", "", text)
    page.write_text(open_to_the_probe.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    done = load(page, tmp_path / "profile")
    (told,) = re.findall(r'<body[^>]* data-found="([^"]*)"', done.stdout)
    found = json.loads(html.unescape(told))
    assert not found["hidden"]
    sections, lines, marks, rows, heads = found["all"]
    assert sections == 3
    assert found["model"][0] == 1
    assert 0 < found["model"][1] < lines
    assert 0 < found["curve"][1] < lines
    assert 0 < found["curve"][3] < rows
    assert found["curve"][0] == sections
    assert 0 < found["budget"][2] < marks
    assert found["budget"][4] < heads
    assert found["strokes"] == 0
    assert set(found["places"]) <= {"20", None}
    assert found["picked"].startswith("1 of ")
    assert found["again"] == found["all"]
