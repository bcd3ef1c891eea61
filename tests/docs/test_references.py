"""No document names a command, option, make target, file, module or variable that does not exist."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mobility_warehouse.cli import main
from mobility_warehouse.settings import Settings

ROOT = Settings.from_environment().repository
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "snapshot" / "README.md"], key=str
)
EXAMPLE = ROOT / "docs" / "example_source"
FOLDERS = "plugins|dags|dbt_project|expectations|snapshot|docs|tests|benchmarks|deployment"
#: Where variables are read.
CODE = [
    *(path for folder in ("plugins", "dags", "tests") for path in (ROOT / folder).rglob("*.py")),
    *(ROOT / name for name in ("Makefile", "docker-compose.yml", "Dockerfile")),
    ROOT / "dbt_project" / "profiles.yml",
]

_CODE_SPAN = re.compile(r"```[^\n]*\n(?P<block>.*?)```|`(?P<span>[^`\n]+)`", re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: A command at the start of a line, after a prompt, assignments or a path to it, or after && or |.
_COMMAND = re.compile(
    r"(?:^|&& |\| |\$ |; )(?:[A-Z_0-9]+=\S+ )*(?:\S*/)?(?P<name>mobility|make) (?P<rest>[^\n&|>#]*)", re.M
)
_MODULE = re.compile(r"python -m (mobility_warehouse[\w.]*|benchmarks|tests[\w.]*)")
_PATH = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w/?)(?![\w<*{{])")
_VARIABLE = re.compile(r"\bMOBILITY_[A-Z_]+\b")


def code_of(document: Path) -> Iterator[str]:
    """Code blocks and spans of a page."""
    for found in _CODE_SPAN.finditer(document.read_text(encoding="utf-8")):
        yield found["block"] or found["span"]


def problems_of_command(rest: str) -> list[str]:
    """What of ``mobility <rest>`` the command line does not know."""
    command: click.Command = main
    words = rest.split()
    while words and isinstance(command, click.Group):
        word = words.pop(0)
        if word.startswith("-"):
            words.insert(0, word)
            break
        if word.isupper():
            return []
        found = command.commands.get(word)
        if found is None:
            return [f"no command {word!r}"]
        command = found
    known = {option for parameter in command.params for option in parameter.opts} | {
        "--help",
        "-h",
        "--version",
    }
    options = [word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)]
    return [f"no option {option} of {command.name}" for option in options if option not in known]


def slug(heading: str) -> str:
    """The anchor that a heading gets on a code forge."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
class TestDocument:
    def test_commands_exist(self, document: Path) -> None:
        targets, problems = make_targets(), []
        for code in code_of(document):
            for found in _COMMAND.finditer(code):
                if found["name"] == "mobility":
                    problems += [f"{found[0]!r}: {problem}" for problem in problems_of_command(found["rest"])]
                else:
                    words = [word for word in found["rest"].split() if "=" not in word]
                    problems += [f"no make target {word}" for word in words if word not in targets]
        assert problems == []

    def test_links_lead_somewhere(self, document: Path) -> None:
        problems = []
        for found in _LINK.finditer(_CODE_SPAN.sub("", document.read_text(encoding="utf-8"))):
            target, _, anchor = found["target"].partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            path = (document.parent / target).resolve() if target else document
            if not path.exists():
                problems.append(f"{found['target']}: no such file")
            elif anchor and anchor not in map(slug, _HEADING.findall(path.read_text(encoding="utf-8"))):
                problems.append(f"{found['target']}: no such heading")
        assert problems == []

    def test_modules_and_paths_exist(self, document: Path) -> None:
        missing = []
        for code in code_of(document):
            missing += [name for name in _MODULE.findall(code) if not module_exists(name)]
            missing += [path for path in _PATH.findall(code) if not exists_somewhere(document, path)]
        assert missing == []

    def test_variables_are_read_somewhere(self, document: Path) -> None:
        known = {
            name
            for path in CODE
            if path.exists()
            for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))
        }
        named = {name for name in _VARIABLE.findall(document.read_text(encoding="utf-8")) if name[-1] != "_"}
        assert sorted(named - known) == []

    def test_no_path_of_a_single_machine_is_named(self, document: Path) -> None:
        assert (
            re.findall(r"(?<![\w.:/])/(?:home|root|work|Users|tmp)/\S*", document.read_text(encoding="utf-8"))
            == []
        )


def module_exists(name: str) -> bool:
    if name.startswith(("tests", "benchmarks")):
        path = ROOT / name.replace(".", "/")
        return path.is_dir() or path.with_suffix(".py").exists()
    in_example = EXAMPLE / "plugins" / f"{name.replace('.', '/')}.py"
    return importlib.util.find_spec(name) is not None or in_example.exists()


def exists_somewhere(document: Path, path: str) -> bool:
    """Below the repository, the dbt project, the example source or the page's own folder."""
    roots = (ROOT, ROOT / "dbt_project", EXAMPLE, document.parent)
    return any((root / path).exists() for root in roots)


def test_the_checks_find_what_is_wrong(tmp_path: Path) -> None:
    assert problems_of_command("up --live") == []
    assert problems_of_command("quarantine list --format csv") == []
    assert problems_of_command("quarantine forget 3") == ["no command 'forget'"]
    assert problems_of_command("up --dead") == ["no option --dead of up"]
    assert problems_of_command("COMMAND --help") == []
    found = _COMMAND.search("MOBILITY_LIVE=1 mobility fly | cat")
    assert found is not None
    assert problems_of_command(found["rest"]) == ["no command 'fly'"]
    assert "run" in make_targets()
    assert "fly" not in make_targets()
    assert not module_exists("mobility_warehouse.nowhere")
    assert not exists_somewhere(tmp_path / "page.md", "plugins/nowhere.py")
    assert slug("A gate that failed") == "a-gate-that-failed"
