import re

from tests.architecture.source_tree import all_files, name_of

# Written so that this file does not match itself.
REGISTRY = r"(pyp[i]|pythonhoste[d]|npmj[s]|debia[n])\.(org|com)\b"
MACHINE = r"(?<![A-Za-z0-9_.])/(wor[k]|far[m]|hom[e]|roo[t])/[a-z]"
LOCAL = re.compile(f"{REGISTRY}|{MACHINE}")


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    found = [
        f"{name_of(path)}:{number} {line.strip()[:100]}"
        for path in all_files()
        for number, line in enumerate(_lines(path.read_bytes()), 1)
        if LOCAL.search(line)
    ]

    assert found == []


def _lines(content: bytes) -> list[str]:
    return [] if b"\0" in content else content.decode(errors="replace").splitlines()
