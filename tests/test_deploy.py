"""The files in docs/deploy are well-formed, and name commands and options that there are."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from reportgen.cli import main

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
DOCS = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))


def calls(text: str) -> list[list[str]]:
    """Give the calls of the program in shell code, by their words."""
    code = text.replace("\\\n", " ")
    lines = re.findall(
        r"^(?:.*&& |.*env |docker run .* |\s*)(reportgen [a-z].*?)(?:\s+#.*)?$", code, re.MULTILINE
    )
    return [shlex.split(line.partition(" >")[0]) for line in lines]


def shell_blocks(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


def inline(page: str) -> list[list[str]]:
    """Give the calls that stand in the text of a page, by their words."""
    text = (ROOT / page).read_text(encoding="utf-8")
    spans = re.findall(r"`(reportgen(?: [^`]*)?)`", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))
    return [span.split() for span in spans if not span.startswith("reportgen/")]


def refused(words: list[str]) -> list[str]:
    """Name what a call has that the program does not know."""
    command = main.commands.get(words[1])
    if command is None:
        return words[:2]
    known = {name for option in command.params for name in option.opts} | {"--help"}
    options = [word.strip("[],.:;()").partition("=")[0] for word in words[2:]]
    return [word for word in options if word.startswith("--") and word not in known]


@pytest.mark.parametrize("page", DOCS)
def test_every_call_on_a_page_is_one_of_the_program(page):
    found = [*calls(shell_blocks(page)), *inline(page)]
    named = [call for call in found if len(call) > 1 and not call[1].startswith("-")]
    assert [(call, wrong) for call in named if (wrong := refused(call))] == []


def test_calls_are_looked_for():
    assert len(calls(shell_blocks("README.md"))) > 6
    assert ["reportgen", "init", "DIR", "[--discover]"] in inline("README.md")


def test_every_option_is_documented():
    pages = (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    options = {
        (command.name, name)
        for command in main.commands.values()
        for option in command.params
        for name in option.opts
        if name.startswith("--") and not getattr(option, "hidden", False)
    }
    assert len(options) > 40
    told = set(re.findall(r"--[a-z][a-z-]*", text))
    assert sorted(option for option in options if option[1] not in told) == []


def test_what_is_not_an_option_is_seen():
    assert refused(["reportgen", "run", "c", "--cicle", "previous"]) == ["--cicle"]
    assert refused(["reportgen", "rum"]) == ["reportgen", "rum"]


@pytest.mark.parametrize("name", ["reportgen.service", "reportgen.cron", "github-actions.yml"])
def test_the_files_call_what_there_is(name):
    found = calls((DEPLOY / name).read_text(encoding="utf-8"))
    assert found
    assert [wrong for call in found if (wrong := refused(call))] == []


def test_all_of_them_run_after_the_boundary_of_the_billing_day():
    timer, cron, workflow = (
        (DEPLOY / name).read_text(encoding="utf-8")
        for name in ("reportgen.timer", "reportgen.cron", "github-actions.yml")
    )
    (hour,) = re.findall(r"^OnCalendar=\*-\*-\* (\d\d):\d\d:00 UTC$", timer, re.MULTILINE)
    (by_cron,) = re.findall(r"^\d+ (\d+) \* \* \*", cron, re.MULTILINE)
    schedule = yaml.safe_load(workflow)[True]["schedule"]
    (by_workflow,) = [one["cron"].split()[1] for one in schedule]
    assert {int(one) for one in (hour, by_cron, by_workflow)} == {9}
    assert re.search(r"^CRON_TZ=UTC$", cron, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_takes_its_units():
    units = [str(DEPLOY / name) for name in ("reportgen.service", "reportgen.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_has_the_fonts_and_libraries_of_the_setup():
    setup = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
    (packages,) = re.findall(r"^packages='([^']+)'", setup, re.MULTILINE)
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    final = image.rpartition("\nFROM ")[2]
    assert [name for name in packages.split() if name not in final.split()] == []
    assert re.search(r"^USER (?!0|root)", final, re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """Give the instructions of the Dockerfile, each with what follows it."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    words = (" ".join(line.split()).partition(" ") for line in joined)
    return [(name, rest) for name, _, rest in words]


def test_the_image_is_written_as_linters_ask():
    """As hadolint's rules do, those that hold where versions of Debian's packages are its own."""
    found = instructions()
    known = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in found} == known
    for name, rest in found:
        if name == "FROM":
            assert re.match(r"[a-z]+:[\w.-]+", rest)
            assert ":latest" not in rest
        if name in {"ENTRYPOINT", "CMD"}:
            assert isinstance(yaml.safe_load(rest), list)
        if name == "WORKDIR":
            assert rest.startswith("/")
        if "apt-get install" in rest:
            assert rest.startswith("apt-get update && ")
            assert {"--yes", "--no-install-recommends"} <= {*rest.split()}
            assert "rm -rf /var/lib/apt/lists/*" in rest
        if "pip install" in rest:
            assert "--no-cache-dir" in rest
        assert "sudo" not in rest
    copied = [rest for name, rest in found if name in {"COPY", "ENV"}]
    assert not [rest for rest in copied if "authorities" in rest], "it does not stay in the image"
    assert [name for name, _ in found][-4:] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]


def test_the_image_is_given_everything_that_the_wheel_is_made_of():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", "tests/constraints.txt", project["project"]["readme"]}
    needed |= set(project["project"]["license-files"])
    needed |= {*wheel.get("only-include", ()), *wheel.get("force-include", {})}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert [
        path for path in needed if not any(path == k or path.startswith(f"{k}/") for k in kept)
    ] == []
