"""Pages of the documentation that stand elsewhere in the repository: mkdocs calls these hooks.

Each text has one place. README, CONTRIBUTING, CHANGELOG and SECURITY are read where they lie, the
list of decisions follows from docs/adr, and links between them are made to fit the site.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
QUESTIONS = {
    "nfe": ("How is NFE counted?", "docs/protocol.md", "NFE"),
    "compare": ("What does compare test?", "docs/compare.md", "Where the intervals come from"),
    "comparable": (
        "What may be compared with what?",
        "docs/compare.md",
        "What is compared with what",
    ),
}
"""Pages that hold one section of another page: title, file, heading."""

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/."""
    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=_moved(_read(source), config)))
    for name, (title, source, heading) in QUESTIONS.items():
        text = f"# {title}\n\n{_section(_read(source), heading)}\n\nMore: [{source}]({source})\n"
        content = _moved(text, config, "../")
        files.append(File.generated(config, f"questions/{name}.md", content=content))
    files.append(File.generated(config, "adr/index.md", content=_decisions()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links out of docs/ lead to the repository's pages."""
    generated = page.file.generated_by is not None
    return markdown if generated else _LINK.sub(lambda m: _outward(m, config), markdown)


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _moved(text: str, config: MkDocsConfig, up: str = "") -> str:
    """The text of a file of the root, with links as they are seen from the site's pages."""

    def link(match: re.Match[str]) -> str:
        target, anchor = match.group(1), match.group(2) or ""
        if target in PAGES:
            return f"]({up}{PAGES[target]}{anchor})"
        if target.rstrip("/") == "docs/adr":
            return f"]({up}adr/index.md)"
        if target.startswith("docs/"):
            return f"]({up}{target.removeprefix('docs/')}{anchor})"
        return f"]({_repository(config, target)}{anchor})"

    return _LINK.sub(link, text)


def _outward(match: re.Match[str], config: MkDocsConfig) -> str:
    target, anchor = match.group(1), match.group(2) or ""
    if not target.startswith("../"):
        return match.group()
    name = target.removeprefix("../")
    page = PAGES.get(name)
    return f"]({page or _repository(config, name)}{anchor})"


def _repository(config: MkDocsConfig, path: str) -> str:
    base = (config.repo_url or "https://pypi.org/project/scorebench").rstrip("/")
    return f"{base}/blob/main/{path}" if config.repo_url else base


def _section(text: str, heading: str) -> str:
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise ValueError(f"no section '## {heading}'; mend QUESTIONS in ci/site.py")
    # Links of that page are seen from docs/, those of the root from the root.
    return re.sub(r"\]\((?!https?:|#|docs/)([^)\s]+)\)", r"](docs/\1)", found.group(1).strip())


def _decisions() -> str:
    lines = ["# Decisions", "", "What was decided, why, and what else was tried.", ""]
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"* [{title}]({path.name})")
    return "\n".join(lines) + "\n"
