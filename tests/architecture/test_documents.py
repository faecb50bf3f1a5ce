"""What the documents say of the project's files is true."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import ROOT, name_of

TOP_FOLDERS = ("src", "tests", "docs", "bench", "scripts", ".ci")
TOP_FILES = {
    "pyproject.toml",
    "alembic.ini",
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
}
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_every_path_in_the_documents_exists() -> None:
    missing = [
        f"{name_of(page)}: {path}"
        for page in _pages()
        for path in _paths(page.read_text())
        if not any(ROOT.glob(path))
    ]

    assert missing == []


def test_every_link_between_the_documents_resolves() -> None:
    broken = [
        f"{name_of(page)}: {link}"
        for page in _pages()
        for link in LINK.findall(FENCE.sub("", page.read_text()))
        if not re.match(r"[a-z]+:", link) and not _resolves(page, link)
    ]

    assert broken == []


def test_the_first_thing_on_the_front_page_is_the_command_that_starts_stoa() -> None:
    first = FENCE.search((ROOT / "README.md").read_text())

    assert first is not None
    assert "pip install uv && uv run stoa serve" in first.group().splitlines()


def test_the_changelog_says_what_changed() -> None:
    assert re.search(r"^- \S", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_every_decision_has_the_same_four_parts() -> None:
    parts = ["Context", "Decision", "Consequences", "Alternatives"]

    odd = [
        name_of(page)
        for page in sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
        if HEADING.findall(page.read_text())[1:] != parts
    ]

    assert odd == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in sorted((ROOT / "docs/adr").glob("[0-9]*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_dependency_says_what_it_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    described = (ROOT / "docs/explanation/dependencies.md").read_text()

    names = {re.split(r"[^\w.-]", wanted)[0] for group in groups for wanted in group}

    assert {name for name in names if not re.search(rf"\b{name}\b", described)} == set()


def _pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _paths(text: str) -> Iterator[str]:
    """Names in code that start like a path of the project; ``<name>`` stands for any name."""
    for code in CODE.findall(FENCE.sub("", text)):
        path = re.sub(r"<[^>]+>|…", "*", code.strip())
        in_folder = path.partition("/")[0] in TOP_FOLDERS and "/" in path and " " not in path
        if in_folder or path in TOP_FILES:
            yield path.rstrip("/")


def _resolves(page: Path, link: str) -> bool:
    target, _, anchor = link.partition("#")
    file = (page.parent / target).resolve() if target else page
    if not file.exists():
        return False
    if not anchor or file.suffix != ".md":
        return True
    return anchor in {_slug(heading) for heading in HEADING.findall(file.read_text())}


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
