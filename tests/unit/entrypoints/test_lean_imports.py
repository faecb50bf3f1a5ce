import os
import subprocess
import sys


def _run(program: str) -> str:
    done = subprocess.run(  # noqa: S603 (our own interpreter and program)
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_what_is_hidden_from_one_package_is_there_for_others() -> None:
    output = _run(
        "import sys\n"
        "from entrypoints.lean_imports import import_lean\n"
        "import_lean()\n"
        "import structlog\n"
        "print('rich' in sys.modules)\n"
        "import rich\n"
        "print(rich.__name__)\n"
    )

    assert output == "False\nrich\n"


def test_what_was_imported_before_is_the_same_after() -> None:
    output = _run(
        "import rich\n"
        "from entrypoints.lean_imports import import_lean\n"
        "import_lean()\n"
        "import structlog, sys\n"
        "print(sys.modules['rich'] is rich)\n"
    )

    assert output == "True\n"


def test_a_module_comes_without_its_siblings() -> None:
    output = _run(
        "from entrypoints.lean_imports import import_lean\n"
        "import_lean()\n"
        "from advanced_alchemy.types.datetime import DateTimeUTC\n"
        "import sys\n"
        "print({'advanced_alchemy.base', 'sqlalchemy.dialects.oracle'} & sys.modules.keys())\n"
    )

    assert output == "set()\n"


def test_a_package_that_was_stripped_still_gives_its_other_modules() -> None:
    output = _run(
        "from entrypoints.lean_imports import import_lean\n"
        "import_lean()\n"
        "import_lean()\n"
        "from advanced_alchemy import exceptions\n"
        "print(exceptions.__name__)\n"
    )

    assert output == "advanced_alchemy.exceptions\n"


def test_the_collector_works_again_after_imports() -> None:
    output = _run(
        "import gc\n"
        "from entrypoints.lean_imports import many_imports\n"
        "with many_imports():\n"
        "    print(gc.isenabled())\n"
        "print(gc.isenabled())\n"
    )

    assert output == "False\nTrue\n"
