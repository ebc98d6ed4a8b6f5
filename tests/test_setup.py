"""`.ci/setup` on machines of many kinds.

PATH holds stand-ins that record their calls, and a few real tools.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL = ("sh", "cat", "chmod", "cmp", "cp", "dirname", "env", "head", "mkdir", "mv", "rm", "tr")

PROGRAM = [
    *("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    *("fonts-liberation", "fonts-dejavu-core", "fonts-droid-fallback", "fonts-nanum"),
]
TESTS = ["libreoffice-calc-nogui", "poppler-utils", "openssl"]
NODE = ("tests/node/package.json", "tests/node/package-lock.json")
HEAVY_TESTS = [
    *("libpdfbox2-java", "libjaxb-api-java", "default-jre-headless"),
    *("chromium", "zsh", "fish"),
]

# Stand-ins play their part on the folder $MACHINE. Those that change something also write their
# call into $CALLS.
RECORD = 'echo "${0##*/} $*" >>"$CALLS"\n'
PYTHON = f"""
case "$*" in
    *"version_info < (3, 11)"*) [ ! -e "$MACHINE/old/${{0##*/}}" ] ;;
    *python%d*) echo python3.11-venv ;;
    *ensurepip*) [ -e "$MACHINE/package/python3.11-venv" ] ;;
    *find_library*) cat "$MACHINE/no-library" ;;
    *"-m venv"*) {RECORD}
        for venv; do :; done
        case "$*" in *--clear*) rm -rf "$venv" ;; esac
        mkdir -p "$venv/bin"; cat "$0" >"$venv/bin/python"; chmod +x "$venv/bin/python" ;;
    *"-m pip"*) {RECORD}
        versions=tests/constraints.txt
        case $0 in .venv-lowest*) versions=tests/lowest.txt ;; esac
        cmp "$PIP_CONSTRAINT" $versions && cmp "$PIP_BUILD_CONSTRAINT" $versions || exit
        [ ! -e "$MACHINE/pip-fails" ] || {{ echo "no such version"; exit 1; }}
        cat "$MACHINE/npm" >"${{0%/*}}/npm"; chmod +x "${{0%/*}}/npm" ;;
esac
"""
NPM = f"""#!/bin/sh
{RECORD}
[ ! -e "$MACHINE/npm-fails" ] || {{ echo "no such package"; exit 1; }}
"""
STAND_INS = {
    "python3": PYTHON,
    "python3.12": PYTHON,
    "dpkg-query": """
        for name; do [ ! -e "$MACHINE/package/$name" ] || printf "installed=%s " "$name"; done
        """,
    "apt-get": f"""{RECORD}
        [ "$1" != update ] || exit "$(cat "$MACHINE/update")"
        for name; do case $name in -* | install) ;; *) : >"$MACHINE/package/$name" ;; esac; done
        """,
    "sudo": f'{RECORD} exec "$@"',
    "id": 'cat "$MACHINE/user"',
    "uname": 'cat "$MACHINE/system"',
    "fc-list": '[ -e "$MACHINE/no-fonts" ] || echo /fonts/some.ttf',
    "soffice": "",
    "pdftotext": "",
    "openssl": "",
}
BARE = ("python3", "dpkg-query", "apt-get", "id", "uname", "fc-list")


@dataclass
class Machine:
    """A checkout, the commands on its PATH, and the state these play on."""

    home: Path
    commands: Path = field(init=False)
    state: Path = field(init=False)
    checkout: Path = field(init=False)

    def __post_init__(self) -> None:
        self.commands, self.state, self.checkout = (
            self.home / n for n in ("bin", "state", "a checkout")
        )
        for folder in (
            self.commands,
            self.state / "package",
            self.state / "old",
            self.checkout / "tests" / "node",
        ):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        for name in ("pyproject.toml", "tests/constraints.txt", "tests/lowest.txt", *NODE):
            shutil.copy(ROOT / name, self.checkout / name)
        for name in REAL:
            (self.commands / name).symlink_to(str(shutil.which(name)))
        state = {"update": "0", "user": "0", "system": "Linux", "no-library": "", "npm": NPM}
        for name, text in state.items():
            (self.state / name).write_text(text)
        self.provide(*BARE)

    def provide(self, *names: str) -> None:
        for name in names:
            command = self.commands / name
            command.write_text(f"#!/bin/sh\n{STAND_INS[name]}\n")
            command.chmod(0o755)

    def take_away(self, *names: str) -> None:
        for name in names:
            (self.commands / name).unlink()

    def install(self, *packages: str) -> None:
        for name in packages:
            (self.state / "package" / name).touch()

    def set_up(self, group: str = "demo", **more: str) -> tuple[int, list[str], str]:
        """Run the script; return its exit code, the calls that change something, what it said."""
        calls = self.home / "calls"
        calls.write_text("")
        done = subprocess.run(
            ["sh", self.checkout / ".ci/setup", group],
            env={"PATH": str(self.commands), "MACHINE": str(self.state), "CALLS": str(calls)}
            | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, calls.read_text().splitlines(), done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def apt_calls(calls: list[str]) -> list[str]:
    return [line for line in calls if "apt-get" in line]


def asked_for(calls: list[str]) -> set[str]:
    return set(
        next(line for line in calls if "apt-get install" in line)
        .partition("Timeout=600 ")[2]
        .split()
    )


def test_a_bare_machine_gets_everything_and_the_second_run_calls_nothing(machine: Machine) -> None:
    code, calls, said = machine.set_up()
    assert code == 0, said
    assert [line.split()[1] for line in apt_calls(calls)] == ["update", "install"]
    assert asked_for(calls) == {*PROGRAM, "python3.11-venv"}
    assert [line for line in calls if "-m venv" in line]
    assert calls[-1].endswith("--editable .")

    started = time.monotonic()
    assert machine.set_up() == (0, [], "")
    assert time.monotonic() - started < 0.5


def test_only_what_is_missing_is_asked_for(machine: Machine) -> None:
    machine.install(*PROGRAM, *TESTS, "python3.11-venv")
    (machine.state / "package" / "fonts-dejavu-core").unlink()
    _, calls, _ = machine.set_up("test")
    assert asked_for(calls) == {"fonts-dejavu-core"}


def test_nothing_is_asked_for_when_all_is_there(machine: Machine) -> None:
    machine.install(*PROGRAM, "python3.11-venv")
    code, calls, said = machine.set_up()
    assert (code, apt_calls(calls)) == (0, []), said


def test_the_tests_need_more_and_a_desktop_calc_will_do(machine: Machine) -> None:
    machine.install(*PROGRAM, "python3.11-venv", "libreoffice-calc")
    code, calls, said = machine.set_up("test")
    assert code == 0, said
    assert asked_for(calls) == {"poppler-utils", "openssl"}
    assert calls[-1].endswith("--editable .[dev]")
    assert machine.set_up("demo") == (0, [], ""), (
        "an installation for the tests serves the demo too"
    )


def test_the_heavy_tests_need_more_than_the_others(machine: Machine) -> None:
    machine.install(*PROGRAM, *TESTS, "python3.11-venv")
    machine.set_up("test")
    code, calls, said = machine.set_up("heavy")
    assert code == 0, said
    assert asked_for(calls) == {*HEAVY_TESTS}
    assert not [line for line in calls if "-m pip" in line], "the Python packages are the same"
    assert calls[-1].startswith("npm ci --prefix .venv/readers --ignore-scripts")
    assert machine.set_up("heavy") == (0, [], "")


def test_changed_javascript_packages_are_installed_anew(machine: Machine) -> None:
    machine.set_up("heavy")
    with (machine.checkout / NODE[1]).open("a") as lock:
        lock.write("\n")
    (machine.checkout / ".venv/readers/node_modules").mkdir()
    (machine.state / "npm-fails").touch()
    code, _, said = machine.set_up("heavy")
    assert code == 1
    assert said.endswith("no such package\nsetup: npm could not install the JavaScript packages\n")
    (machine.state / "npm-fails").unlink()
    code, calls, said = machine.set_up("heavy")
    assert (code, len(calls)) == (0, 1), said
    assert not (machine.checkout / ".venv/readers/node_modules").exists()
    assert machine.set_up("heavy") == (0, [], "")


def test_the_oldest_versions_have_an_environment_of_their_own(machine: Machine) -> None:
    machine.install(*PROGRAM, *TESTS, "python3.11-venv")
    machine.set_up("test")
    code, calls, said = machine.set_up("lowest")
    assert code == 0, said
    assert [line.split()[0] for line in calls] == ["python3", "python"]
    assert calls[0].endswith("-m venv --clear .venv-lowest")
    assert calls[1].endswith("--editable .[dev]")
    assert machine.set_up("lowest") == machine.set_up("test") == (0, [], "")


def test_each_python_has_an_environment_of_the_oldest_versions(machine: Machine) -> None:
    machine.install(*PROGRAM, *TESTS, "python3.11-venv")
    machine.provide("python3.12")
    machine.set_up("lowest")
    python = str(machine.commands / "python3.12")
    code, calls, said = machine.set_up("lowest", PYTHON=python)
    assert code == 0, said
    assert calls[0].endswith("-m venv --clear .venv-lowest-python3.12")
    assert machine.set_up("lowest", PYTHON=python) == machine.set_up("lowest") == (0, [], "")


def test_the_benchmarks_have_an_environment_of_their_own(machine: Machine) -> None:
    machine.install(*PROGRAM, "python3.11-venv")
    machine.set_up()
    code, calls, said = machine.set_up("bench")
    assert code == 0, said
    assert asked_for(calls) == {"chromium", "ghostscript"}
    assert calls[-2].endswith("-m venv --clear .venv-bench")
    assert calls[-1].endswith("--editable .[bench]")
    assert machine.set_up("bench") == machine.set_up() == (0, [], "")


def test_installing_never_removes_a_package_and_asks_nothing(machine: Machine) -> None:
    _, calls, _ = machine.set_up()
    (install,) = (line for line in calls if "apt-get install" in line)
    assert "--no-remove" in install
    assert " -y " in install


def test_a_failing_update_does_not_stop_the_installation(machine: Machine) -> None:
    (machine.state / "update").write_text("100")
    code, calls, said = machine.set_up()
    assert code == 0
    assert "lists that are there" in said
    assert asked_for(calls)


def test_a_user_installs_through_sudo(machine: Machine) -> None:
    (machine.state / "user").write_text("1000")
    machine.provide("sudo")
    code, calls, said = machine.set_up()
    assert code == 0, said
    assert [line.partition(" -")[0] for line in calls if line.startswith("sudo")] == [
        "sudo apt-get update",
        "sudo env DEBIAN_FRONTEND=noninteractive apt-get install",
    ]


@pytest.mark.parametrize("without", ["sudo", "apt-get"])
def test_whoever_cannot_install_is_told_what_to_run(machine: Machine, without: str) -> None:
    machine.install(*PROGRAM[1:])
    (machine.state / "user").write_text("1000")
    machine.provide("sudo")
    machine.take_away(without)
    code, calls, said = machine.set_up()
    assert (code, calls) == (1, [])
    assert said.endswith(
        "as root, then try again: apt-get install -y libpango-1.0-0 python3.11-venv\n"
    )


def test_macos_is_given_the_homebrew_line(machine: Machine) -> None:
    machine.take_away("apt-get", "dpkg-query")
    machine.install("python3.11-venv")
    (machine.state / "system").write_text("Darwin")
    (machine.state / "no-library").write_text("libpango-1.0\n")
    code, calls, said = machine.set_up()
    assert (code, calls) == (1, [])
    assert "libpango-1.0" in said
    assert said.endswith(
        "brew install pango harfbuzz && "
        "brew install --cask font-liberation font-dejavu font-nanum-gothic\n"
    )
    assert "brew install poppler" in machine.set_up("test")[2]
    assert "brew install openjdk" in machine.set_up("heavy")[2]


def test_other_systems_are_told_what_is_missing(machine: Machine) -> None:
    machine.take_away("apt-get", "dpkg-query")
    machine.install("python3.11-venv")
    (machine.state / "no-fonts").touch()
    code, _, said = machine.set_up("test")
    assert code == 1
    for name in (
        "font-liberation",
        "font-for-ja",
        "font-for-he",
        "soffice",
        "pdftotext",
        "package manager",
    ):
        assert name in said
    heavy = machine.set_up("heavy")[2]
    assert "java" in heavy
    assert "chromium" in heavy


def test_other_systems_with_everything_need_no_package_manager(machine: Machine) -> None:
    machine.take_away("apt-get", "dpkg-query")
    machine.install("python3.11-venv")
    machine.provide("soffice", "pdftotext", "openssl")
    code, calls, said = machine.set_up("test")
    assert code == 0, said
    assert calls[-1].endswith("--editable .[dev]")
    assert machine.set_up("test") == (0, [], "")


def test_a_python_without_ensurepip_is_named_where_nothing_can_install_it(machine: Machine) -> None:
    machine.take_away("apt-get", "dpkg-query")
    code, calls, said = machine.set_up()
    assert (code, calls) == (1, [])
    assert "python3.11-venv" in said


def test_an_old_python_is_refused(machine: Machine) -> None:
    (machine.state / "old/python3").touch()
    code, calls, said = machine.set_up()
    assert (code, calls) == (1, [])
    assert "Python 3.11 or later is needed" in said


def test_a_later_python_is_found_under_its_own_name(machine: Machine) -> None:
    machine.install(*PROGRAM, "python3.11-venv")
    machine.provide("python3.12")
    (machine.state / "old/python3").touch()
    code, calls, said = machine.set_up()
    assert code == 0, said
    assert calls[0].startswith("python3.12 -m venv")


def test_a_changed_requirement_is_installed_into_the_same_environment(machine: Machine) -> None:
    machine.set_up()
    with (machine.checkout / "tests/constraints.txt").open("a") as constraints:
        constraints.write("another==1.0\n")
    code, calls, said = machine.set_up()
    assert code == 0, said
    assert len(calls) == 1
    assert "-m pip install" in calls[0]
    assert machine.set_up() == (0, [], "")


def test_what_pip_said_is_shown_when_it_fails(machine: Machine) -> None:
    (machine.state / "pip-fails").touch()
    code, _, said = machine.set_up()
    assert code == 1
    assert said.endswith("no such version\nsetup: pip could not install the Python packages\n")


def test_an_environment_that_was_not_finished_is_made_anew(machine: Machine) -> None:
    machine.set_up("demo")
    remains = machine.checkout / ".venv" / "half-a-package"
    remains.touch()
    (machine.state / "pip-fails").touch()
    assert machine.set_up("test")[0] == 1
    assert remains.exists()
    (machine.state / "pip-fails").unlink()
    code, calls, _ = machine.set_up("test")
    assert code == 0
    assert "-m venv" in calls[0]
    assert not remains.exists()


def test_a_checkout_that_was_moved_gets_a_new_environment(machine: Machine) -> None:
    machine.set_up()
    machine.checkout = machine.checkout.rename(machine.home / "elsewhere")
    code, calls, _ = machine.set_up()
    assert code == 0
    assert "-m venv" in calls[0]


def test_an_unknown_group_is_wrong_usage(machine: Machine) -> None:
    code, calls, said = machine.set_up("tests")
    assert (code, calls) == (2, [])
    assert said.startswith("usage:")


def test_the_shell_scripts_and_the_makefile_are_well_formed() -> None:
    for name in (".ci/setup", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["sh", "-n", ROOT / ".ci/setup"], check=True)
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True)
    listed = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory"], check=True, capture_output=True, text=True
    )
    assert [line.split()[1] for line in listed.stdout.splitlines()] == [
        *("help", "demo", "test", "coverage", "test-heavy", "test-long", "test-all"),
        *("test-lowest", "bench", "clean"),
    ]
