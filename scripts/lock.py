"""Pins every package that Stoa uses, direct or not, to an exact version in ``pyproject.toml``.

The pins are uv's constraints, so that they hold for ``uv run`` and ``uv sync`` alike, without a
lock file: a lock file names the addresses that its packages were downloaded from.

    python scripts/lock.py            resolve to the newest allowed versions and write them
    python scripts/lock.py --check    fail unless a fresh resolution gives exactly the written ones
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
PACKAGES = "constraint-dependencies"
BUILD = "build-constraint-dependencies"


def main() -> int:
    text = PROJECT.read_text()
    if sys.argv[1:] == ["--check"]:
        return check(text)
    if sys.argv[1:]:
        sys.stderr.write(f"usage: {sys.argv[0]} [--check]\n")
        return 2
    loose = write_pins(write_pins(text, PACKAGES, []), BUILD, [])
    packages, build = resolve(loose)
    PROJECT.write_text(write_pins(write_pins(text, PACKAGES, packages), BUILD, build))
    sys.stdout.write(f"{len(packages)} packages and {len(build)} build packages pinned.\n")
    return 0


def check(text: str) -> int:
    settings = tomllib.loads(text)["tool"]["uv"]
    packages, build = resolve(text)
    wrong = set(packages) ^ set(settings.get(PACKAGES, []))
    wrong |= set(build) ^ set(settings.get(BUILD, []))
    for line in sorted(wrong):
        sys.stdout.write(f"not pinned as resolved: {line}\n")
    if not wrong:
        sys.stdout.write(f"{len(packages)} packages resolve to their pins.\n")
    return 1 if wrong else 0


def resolve(text: str) -> tuple[list[str], list[str]]:
    """What a fresh checkout with this ``pyproject.toml`` installs, and what it builds with."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / PROJECT.name).write_text(text)
        for other in ("README.md", "LICENSE"):
            shutil.copy(PROJECT.with_name(other), folder)
        packages = _uv(
            folder, "export", "--all-groups", "--all-extras", "--no-hashes", "--no-emit-project"
        )
        wanted = tomllib.loads(text)
        (folder / "build.in").write_text("\n".join(wanted["build-system"]["requires"]) + "\n")
        pins = "\n".join(wanted["tool"]["uv"].get(BUILD, [])) + "\n"
        (folder / "build.pins").write_text(pins)
        build = _uv(folder, "pip", "compile", "--universal", "build.in", "-c", "build.pins")
    return packages, build


def write_pins(text: str, name: str, pins: list[str]) -> str:
    """Replace one list of ``[tool.uv]``, or add it at the head of the section."""
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    block = f"{name} = [\n{lines}]\n"
    present = re.compile(rf"^{name} = \[\n(?:    .*\n)*\]\n", re.MULTILINE)
    if present.search(text):
        return present.sub(lambda _: block, text, count=1)
    return text.replace("[tool.uv]\n", f"[tool.uv]\n{block}", 1)


def _uv(folder: Path, *arguments: str) -> list[str]:
    command = ["uv", *arguments, "--no-header", "--no-annotate", "--quiet"]
    printed = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return sorted(line.strip() for line in printed.stdout.splitlines() if line.strip())


if __name__ == "__main__":
    sys.exit(main())
