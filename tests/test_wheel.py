"""The wheel is the whole program.

Installed alone, away from the checkout, it builds the invoices of its sample.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import reportgen
from tests.scenarios.job import SMALL_RECORDING, small
from tests.scenarios.pipeline import covered, months

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).resolve().parent.parent
CYCLE = "2025-12-05"
CONSTRAINTS = ROOT / "tests" / "constraints.txt"
UV, PIPX = "0.13.9", "1.18.4"
"""What installs a program, from the package index."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone; its dependencies come from this environment."""
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", target, wheel)
    return target


def pip(*arguments: str | Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def python(installed: Path, folder: Path, *arguments: str | Path) -> str:
    """Run Python in a folder, the installed package before the checkout's; return its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_templates_configurations_and_the_sample(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "configs"):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc"]
        assert files
        assert {f"reportgen/share/{p.relative_to(ROOT).as_posix()}" for p in files} <= carried
    assert "reportgen/share/samples/acme/responses.jsonl" in carried


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    carried = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in carried} == {
        "reportgen",
        f"reportgen-{reportgen.__version__}.dist-info",
    }
    strange = [
        n for n in carried if n.startswith("reportgen/") and not n.startswith("reportgen/share/")
    ]
    assert [n for n in strange if not n.endswith((".py", "/py.typed"))] == [
        "reportgen/documents/pdf/fonts.conf"
    ]


def test_the_wheel_tells_type_checkers_that_it_is_typed(wheel: Path) -> None:
    assert "reportgen/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_checkout_can_be_installed_for_editing(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True)
    (wheel,) = map(zipfile.ZipFile, tmp_path.glob("*.whl"))
    (paths,) = (wheel.read(name) for name in wheel.namelist() if name.endswith(".pth"))
    assert paths.decode().split() == [str(ROOT)]


def test_the_installed_package_finds_its_own_files(installed: Path, tmp_path: Path) -> None:
    ask = (
        "from reportgen import resources as r\n"
        "print(r.templates(), r.configs(), r.samples(), sep='\\n')"
    )
    folders = [Path(line) for line in python(installed, tmp_path, "-c", ask).splitlines()]
    share = installed.resolve() / "reportgen" / "share"
    assert folders == [share / "templates", share / "configs", share / "samples"]


def test_the_installed_program_tells_its_version(installed: Path, tmp_path: Path) -> None:
    assert reportgen.__version__ in python(installed, tmp_path, "-m", "reportgen", "--version")


@pytest.mark.heavy
def test_the_installed_program_runs_its_sample(installed: Path, tmp_path: Path) -> None:
    share = installed / "reportgen" / "share"
    example = tmp_path / "configs" / "example"
    shutil.copytree(share / "configs" / "example", example)
    settings = example / "chargeback.yaml"
    text = settings.read_text(encoding="utf-8")
    there, here = (
        "replay: ../../samples/acme/responses.jsonl",
        f"replay: {share}/samples/acme/responses.jsonl",
    )
    assert there in text
    settings.write_text(text.replace(there, here), encoding="utf-8")

    python(installed, tmp_path, "-m", "reportgen", "run", example, "--cycle", CYCLE)

    folder = tmp_path / "archive" / CYCLE
    for name in ("statement.json", "statement.pdf", "statement.xlsx", "ledger.csv"):
        assert (folder / name).stat().st_size, name
    invoices = {p.suffix: p for p in (folder / "invoices").iterdir()}
    assert invoices[".pdf"].read_bytes().startswith(b"%PDF-")
    assert zipfile.is_zipfile(invoices[".xlsx"])


@pytest.mark.heavy
def test_the_installed_program_writes_a_configuration_to_start_from(
    installed: Path, tmp_path: Path
) -> None:
    python(installed, tmp_path, "-m", "reportgen", "init", "mine")
    assert (
        python(installed, tmp_path, "-m", "reportgen", "check", "mine")
        == "No problems, 2 warnings\n"
    )


# In an environment of its own, as people install it


def with_pip(wheel: Path, folder: Path) -> Path:
    """Install into a new virtual environment; give the folder of its commands.

    What is not used need not be compiled.
    """
    subprocess.run([sys.executable, "-m", "venv", folder / "own"], check=True)
    commands = folder / "own" / "bin"
    installing(commands / "python", "-m", "pip", "install", "--quiet", "--no-compile", wheel)
    return commands


def with_uv(wheel: Path, folder: Path) -> Path:
    """Install by `uv tool install`."""
    pip("install", "--target", folder / "uv", f"uv=={UV}")
    installing(
        *(folder / "uv" / "bin" / "uv", "tool", "install", "--python", sys.executable, wheel),
        UV_TOOL_DIR=folder / "own",
        UV_TOOL_BIN_DIR=folder / "bin",
        UV_CONSTRAINT=CONSTRAINTS,
        UV_CACHE_DIR=folder / "cache",
    )
    return folder / "bin"


def with_pipx(wheel: Path, folder: Path) -> Path:
    """Install by `pipx install`."""
    pip("install", "--target", folder / "pipx", f"pipx=={PIPX}")
    installing(
        *(sys.executable, "-m", "pipx", "install", wheel),
        PYTHONPATH=folder / "pipx",
        PIPX_HOME=folder / "own",
        PIPX_BIN_DIR=folder / "bin",
        PIPX_MAN_DIR=folder / "man",
        PIPX_DEFAULT_PYTHON=sys.executable,
    )
    return folder / "bin"


def installing(*command: str | Path, **environment: str | Path) -> None:
    """Install what a package index has, in the versions that are tested."""
    own = {**os.environ, "PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    own |= {name: str(value) for name, value in environment.items()}
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def online() -> None:
    """Go on where a package index answers; without one nobody installs anything."""
    command = [sys.executable, "-m", "pip", "--retries", "0", "--quiet", "download", "--no-deps"]
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--dest", folder, f"pipx=={PIPX}"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        pytest.skip(f"no package index answers: {done.stderr[-200:]}")


@pytest.mark.heavy
@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    "install", [with_pip, with_uv, pytest.param(with_pipx, marks=pytest.mark.long)]
)
def test_who_installs_it_has_all_it_needs(install, wheel, tmp_path):
    """Nothing of this environment is in reach: neither its packages nor its variables."""
    commands = install(wheel, tmp_path)
    (recording,) = (tmp_path / "own").rglob("share/samples/acme/responses.jsonl")
    job, work = small(tmp_path / "configs"), tmp_path / "work"
    job.edit("chargeback.yaml", str(SMALL_RECORDING), str(recording))
    work.mkdir()
    for arguments in (
        ("--version",),
        ("doctor",),
        ("init", "mine"),
        ("check", "mine"),
        ("doctor", str(job.folder)),
        ("run", str(job.folder), "--cycle", CYCLE, "--workers", "1"),
    ):
        done = subprocess.run(
            ["env", "-i", f"PATH={commands}:/usr/bin:/bin", "reportgen", *arguments],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    assert (job.cycle() / "statement.pdf").read_bytes().startswith(b"%PDF-")
    if install is with_pip:
        (month,) = months(tmp_path, commands, covered(tmp_path / "job"), "2025-12")
        assert month["code"] == 0, month


def test_a_package_without_its_files_says_so(tmp_path: Path) -> None:
    package = tmp_path / "reportgen"
    package.mkdir()
    for name in ("__init__.py", "resources.py"):
        shutil.copy(ROOT / "reportgen" / name, package)
    ask = (
        "from reportgen import resources as r\n"
        "try:\n    r.samples()\nexcept FileNotFoundError as e:\n    print(e)"
    )
    assert "install the package again" in python(tmp_path, tmp_path, "-c", ask)
