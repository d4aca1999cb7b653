"""The files around the book agree with each other and with the package."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import backprop_book
from press.checking import faults_of
from press.fences import Page
from press.structure import structure_faults

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==(\d[\w.]*)")

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = ["make", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def pins() -> dict[str, Version]:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    matches = [PIN.fullmatch(line) for line in lines]
    wrong = [line for line, match in zip(lines, matches, strict=True) if not match]
    assert not wrong, f"constraints.txt holds more than names and versions: {wrong}"
    return {canonicalize_name(match[1]): Version(match[2]) for match in matches if match}


def requirements() -> list[Requirement]:
    named = [PROJECT["dependencies"], *EXTRAS.values()]
    return [Requirement(requirement) for group in named for requirement in group]


# Versions


def test_the_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert backprop_book.__version__ == version
    assert CITATION["version"] == CITATION["preferred-citation"]["version"] == version
    assert f"Version {version}, " in read("docs/appendices/citing.md")


def test_the_changelog_has_the_version_and_the_date_that_is_cited() -> None:
    released = re.findall(r"^## \[([\d.]+)\] - (\S+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert released[0] == (PROJECT["version"], CITATION["date-released"])


def test_the_citation_has_what_its_format_requires() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["license"] == ["MIT", "CC-BY-4.0"]
    assert CITATION["authors"] == [{"name": "The authors of Learning from Mistakes"}]


# What is installed


def test_everything_that_the_project_names_is_pinned() -> None:
    missing = {r.name for r in requirements() if canonicalize_name(r.name) not in pins()}
    assert not missing


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_the_pins_satisfy_the_project(requirement: Requirement) -> None:
    pinned = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned)


@pytest.mark.parametrize("name", sorted({canonicalize_name(r.name) for r in requirements()}))
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed: pip install -c constraints.txt -e '.[oracles]'")
    assert Version(installed).public == str(pins()[name])


def test_the_package_itself_needs_numpy_and_nothing_else() -> None:
    assert [Requirement(requirement).name for requirement in PROJECT["dependencies"]] == ["numpy"]


# Commands


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_snippets_and_links_of(name: str) -> None:
    page = Page(ROOT / name)
    faults = [*faults_of(page), *structure_faults(page)]
    assert not faults, "\n".join(map(str, faults))


def told_commands() -> set[str]:
    told = read("README.md") + read("CONTRIBUTING.md") + read("Makefile") + read(".ci/run")
    return set(re.findall(r"(?:^|`)make ([a-z]+)", told, re.MULTILINE))


@needs_make
@pytest.mark.parametrize("command", sorted(told_commands()))
def test_each_command_that_is_told_exists(command: str) -> None:
    tried = make("-n", "-o", ".venv/ready", command)
    assert tried.returncode == 0, tried.stderr


def test_the_commands_come_on_the_first_screen() -> None:
    screen = "\n".join(read("README.md").splitlines()[:30])
    assert "make serve" in screen
    assert "make test" in screen
    assert "pip install" in screen


@needs_make
@pytest.mark.parametrize("command", ["serve", "test"])
def test_the_readme_tells_what_the_command_runs(command: str) -> None:
    runs = make("-s", "-n", "-o", ".venv/ready", command).stdout.strip()
    assert runs.startswith(".venv/bin/python -m ")
    assert f"\n{runs}\n" in read("README.md")


@needs_make
def test_the_readme_tells_how_the_environment_is_made() -> None:
    made = make("-n", "-W", "pyproject.toml", ".venv/ready").stdout
    [install] = re.findall(r"pip install .*", made)
    assert install.replace(" --quiet --disable-pip-version-check", "") in read("README.md")


OLD_PYTHON = f"""#!/bin/sh
case $1 in
-V) echo Python 3.10.1 ;;
-c) exec {sys.executable} -c 'import sys; sys.version_info = (3, 10, 1); exec(sys.argv[1])' "$2" ;;
*) exit 1 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ["Makefile", "pyproject.toml", "constraints.txt"]:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@needs_make
def test_a_python_that_is_too_old(checkout: Path) -> None:
    old = checkout / "old-python"
    old.write_text(OLD_PYTHON, encoding="utf-8")
    old.chmod(0o755)
    tried = make("test", f"PYTHON={old}", folder=checkout)
    assert tried.returncode != 0
    assert "is Python 3.10.1, and the book needs 3.11 or newer" in tried.stdout
    assert not (checkout / ".venv").exists()


@needs_make
def test_a_python_that_is_not_there(checkout: Path) -> None:
    tried = make("serve", "PYTHON=no-such-python", folder=checkout)
    assert tried.returncode != 0
    assert "There is no no-such-python" in tried.stdout


@needs_make
def test_make_alone_tells_the_commands() -> None:
    told = make("-s").stdout
    assert {"make serve", "make test", "make refresh"} <= set(re.findall(r"^make \w+", told, re.M))


# Where it is tested


def test_the_script_of_ci_is_a_script() -> None:
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(ROOT / ".ci/run")], check=True)
    script = read(".ci/run")
    assert script.rstrip().splitlines()[-1].startswith("make test"), "the summary is last"
    assert re.search(r'mkdocs build --strict .*"\$BUILT_SITE"', script), "the tests see it"


def test_the_workflow_tests_the_oldest_python_that_is_promised() -> None:
    jobs = yaml.safe_load(read(".github/workflows/book.yml"))["jobs"]
    tested = jobs["test"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={tested[0]}"
    assert jobs["publish"]["needs"] == "test"


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("LICENSE", "MIT License"),
        ("LICENSE-TEXT", "https://creativecommons.org/licenses/by/4.0/legalcode"),
    ],
)
def test_the_licences(name: str, holds: str) -> None:
    assert holds in read(name)
    assert "the authors of Learning from Mistakes" in read(name)
    assert f"({name})" in read("README.md")
