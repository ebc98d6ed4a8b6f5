"""What README and docs say is typed and printed, done as a newcomer does it.

docs/auditor.md is walked in test_auditor.py, the files of docs/deploy in tests/test_deploy.py.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from reportgen.cli import main
from tests.fakeapi.behavior import ENTERPRISE
from tests.fakeapi.server import serving
from tests.postoffice import PASSWORD, USER, PostOffice, certified, open_office
from tests.scenarios.closed import REASON, succeeded
from tests.scenarios.job import DECEMBER, NOVEMBER, ROOT, Job, example, plain, small
from tests.scenarios.newcomer import BEARER, CODES, fill_in, truth, unknown_people
from tests.scenarios.pipeline import covered
from tests.scenarios.walk import blocks, commands, held, typed, walked

ACCOUNTS = {"A-1": 6420, "B-2": 6430, "C-3": 6440, "Z-9": 6450}
UNLIMITED = "close: {unallocated_limit: 100%}\n"
SET_UP = f"""\
journal: {{credit_account: "200100", credit_cost_center: "9000"}}
email:
  host: localhost
  port: PORT
  from: {USER}
  password_env: MAIL_PASSWORD
"""
WALKED = {
    "README.md": 3,
    "docs/mail.md": 1,
    "docs/exports.md": 2,
    "docs/deploy.md": 5,
    "docs/auditor.md": 2,
    "docs/distributed.md": 3,
}
"""How many blocks each page has that are typed; no other page has any.

What docs/distributed.md has typed on several machines, test_elsewhere.py does on one.
"""


def test_every_page_with_something_to_type_is_walked():
    pages = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    found = {page: len(blocks(page, "sh")) for page in pages}
    assert {page: number for page, number in found.items() if number} == WALKED
    assert sorted(page for page in pages if blocks(page, "console")) == [
        *("docs/auditor.md", "docs/month.md"),
    ]


def dated(block: str) -> str:
    """Name the cycle of which there is a recording."""
    return block.replace("previous", DECEMBER)


def addressed(job: Job) -> Job:
    """Give every cost center a contact and an account."""
    text = (job.folder / "mapping.yaml").read_text(encoding="utf-8")
    for code, account in ACCOUNTS.items():
        (name,) = re.findall(rf"  {code}: {{name: (\w+)}}", text)
        more = f'contacts: [{name.lower()}@acme.example], gl_account: "{account}"'
        job.edit("mapping.yaml", f"{code}: {{name: {name}}}", f"{code}: {{name: {name}, {more}}}")
    return job


def mailing(job: Job, office: PostOffice, more: str = "") -> None:
    """Let a job book, and mail by a server."""
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(more + SET_UP.replace("PORT", str(office.port)))


@contextmanager
def set_up(folder: Path) -> Iterator[tuple[Job, PostOffice, dict[str, str]]]:
    """Give `my-config` in a folder, all set up, with what the environment has for its mail."""
    authority, key = certified(folder)
    job = addressed(plain(small(folder / "my-config")))
    with open_office((authority, key), sign_in=True) as office:
        mailing(job, office, UNLIMITED)
        yield job, office, {"MAIL_PASSWORD": PASSWORD, "SSL_CERT_FILE": str(authority)}


# README


def test_the_demo_prints_what_the_readme_shows(sample):
    shown, _ = blocks("README.md", "")
    printed = [line.split() for line in sample.stdout.splitlines()]
    rows = [line.split() for line in shown.splitlines() if line.strip() != "…"]
    assert len(rows) == 4
    assert [row for row in rows if row not in printed] == []


@pytest.mark.heavy
def test_a_mistake_is_said_as_the_readme_shows_it(tmp_path):
    """The code is undeclared in the line that is shown: whatever stands there has a cost center."""
    _, shown = blocks("README.md", "")
    name, number = re.match(r"(\S+):(\d+): ", shown).groups()
    for folder in ("configs", "samples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    lines = (tmp_path / name).read_text(encoding="utf-8").splitlines(keepends=True)
    assert "CC-1001" in lines[int(number) - 1]
    lines[int(number) - 1] = lines[int(number) - 1].replace("CC-1001", "CC-101")
    (tmp_path / name).write_text("".join(lines), encoding="utf-8")
    done = typed("reportgen check configs/example", tmp_path)
    assert (done.returncode, done.stderr) == (1, shown)


@pytest.mark.heavy
def test_the_month_of_the_readme_can_be_typed(tmp_path):
    with set_up(tmp_path) as (job, office, mail):
        walked(dated(blocks("README.md", "sh")[1]), tmp_path, **mail)
    assert len(office.received) == len(list((job.cycle() / "invoices").glob("*.pdf"))) > 2


@pytest.mark.heavy
def test_the_readme_leads_from_a_clone_to_right_invoices_of_sixty_unknown_people(tmp_path):
    """By at most twelve commands, the clone included, and without any YAML for people."""
    block = blocks("README.md", "sh")[2]
    assert len(commands(block)) + 1 <= 12
    before, mark, after = block.partition("# now fill in ")
    assert mark
    world, folder = unknown_people(), tmp_path / "my-config"
    installed = 'make() { test "$*" = demo; }\n'  # is what these tests run in
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    with serving(world) as api:
        there = f"--discover my-config --base-url {api.base_url} "
        before = before.replace("cog_…", ENTERPRISE).replace("--discover my-config ", there)
        assert there in before
        walked(installed + before, tmp_path)
        mapping = (folder / "mapping.yaml").read_bytes()
        belongs = fill_in(folder)
        walked(f"# {after}", tmp_path, DEVIN_API_TOKEN=ENTERPRISE)
        assert api.violations == []
    assert len(belongs) == 60
    assert (folder / "mapping.yaml").read_bytes() == mapping
    statement, expected = Job(folder).statement(), truth(world, belongs)
    paid = {one["code"]: Decimal(one["amount"]) for one in statement["cost_centers"]}
    assert paid.keys() == {*CODES, BEARER}
    for code, amount in paid.items():
        assert abs(amount - expected[code]) <= Decimal("0.04"), code  # a cent a line
    assert abs(sum(paid.values()) - sum(expected.values())) <= Decimal("0.02")
    invoices = {path.name for path in (folder / "archive" / DECEMBER / "invoices").glob("*.pdf")}
    assert invoices == {f"CB-{DECEMBER}-{code}.pdf" for code in paid}


# docs


@pytest.mark.heavy
def test_the_month_is_walked_as_it_is_written_and_prints_what_stands_there(tmp_path):
    """Of the example, whose documents have a line, and where every cost center has an account."""
    authority, key = certified(tmp_path)
    job = plain(example(tmp_path / "my-config"))
    text = (job.folder / "mapping.yaml").read_text(encoding="utf-8")
    for code in ("CC-4001", "CC-4002", "CC-5001", "CC-9000", "CC-9999"):
        head, center, rest = text.partition(f"\n  {code}:\n")
        rest = re.sub(r"    department: .*", '    gl_account: "6420"', rest, count=1)
        text = f"{head}{center}{rest}"
    (job.folder / "mapping.yaml").write_text(text, encoding="utf-8")
    with open_office((authority, key), sign_in=True) as office:
        mailing(job, office)
        held("docs/month.md", tmp_path, MAIL_PASSWORD=PASSWORD, SSL_CERT_FILE=str(authority))
    assert (job.archive / "exports" / DECEMBER / "journal-generic.csv").exists()
    assert len(office.received) == 13


@pytest.mark.heavy
def test_documents_are_mailed_as_it_is_written(tmp_path):
    """Checked, tried, rehearsed, sent once, and told: a line after the other."""
    with set_up(tmp_path) as (job, office, mail):
        succeeded(job.here("run"))
        succeeded(job.here("close"))
        invoices = len(list((job.cycle() / "invoices").glob("*.pdf")))
        (block,) = blocks("docs/mail.md", "sh")
        received = []
        for line in commands(dated(block)):
            printed = walked(line, tmp_path, **mail)
            received.append(len(office.received))
        assert received == [0, 0, invoices, 2 * invoices, 2 * invoices]
        assert {one.recipients for one in office.received[:invoices]} == {("me@example.com",)}
        assert printed.count("platform@acme.example") == 1


@pytest.mark.parametrize(
    ("page", "place"),
    [
        (page, n)
        for page in ("docs/mail.md", "docs/exports.md")
        for n in range(len(blocks(page, "yaml")))
    ],
)
def test_what_is_written_to_be_set_can_be_set(tmp_path, page, place):
    job = addressed(small(tmp_path / "my-config"))
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(blocks(page, "yaml")[place])
    done = CliRunner().invoke(main, ["check", str(job.folder)])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "No problems, 0 warnings\n", "")


@pytest.mark.heavy
def test_figures_are_exported_as_it_is_written(tmp_path):
    with set_up(tmp_path) as (job, _, mail):
        for start in (NOVEMBER, DECEMBER):
            succeeded(job.here("run", cycle=start))
            succeeded(job.here("close", cycle=start))
        formats, year = blocks("docs/exports.md", "sh")
        walked(dated(formats), tmp_path, **mail)
        printed = walked(year, tmp_path, **mail)
    assert (tmp_path / "december.zip").is_file()
    assert (tmp_path / "figures" / "ledger.parquet").is_file()
    exported = {path.name for path in (job.archive / "exports" / DECEMBER).iterdir()}
    assert {"focus-InvoiceDetail.csv", "journal-generic.csv", "unallocated.csv"} <= exported
    amounts = [
        Decimal(one["amount"])
        for start in (NOVEMBER, DECEMBER)
        for one in job.statement(start)["cost_centers"]
        if one["invoice"]
    ]
    assert list(map(Decimal, re.findall(r"Decimal\('([\d.]+)'\)", printed))) == amounts


@pytest.mark.heavy
def test_it_is_deployed_as_it_is_written(tmp_path):
    """The machine's own folders lie in one of ours, and its accounts in files there."""
    job = plain(addressed(small(tmp_path / "srv" / "chargeback")))
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "buckets").mkdir()
    run, secrets, authority, account, bucket = map(dated, blocks("docs/deploy.md", "sh"))
    places = {"/srv/": f"{tmp_path}/srv/", "/etc/reportgen": f"{tmp_path}/etc/reportgen"}

    def here(block: str) -> str:
        for there, ours in places.items():
            block = block.replace(there, ours)
        return walked(block, tmp_path, BUCKETS=str(tmp_path / "buckets"), DEVIN_API_TOKEN="cog_x")

    here(run)
    assert job.statement()["status"] == "draft"
    here(authority)
    if os.geteuid() == 0:
        accounts(tmp_path)
        adding = f'useradd() {{ command useradd --prefix "{tmp_path}/root" "$@"; }}\n'
        here(adding + owned(account))
        assert (tmp_path / "root" / "etc" / "passwd").read_text().startswith("reportgen:")
        assert job.folder.stat().st_mode & 0o777 == 0o700
        here(f"mkdir '{tmp_path}/etc'\n" + owned(secrets))
        assert (tmp_path / "etc" / "reportgen" / "environment").stat().st_mode & 0o777 == 0o640
    succeeded(job.here("close", "--accept", REASON))
    here(bucket)
    bucket_folder = tmp_path / "buckets" / "acme-chargeback"
    printed = walked(f"reportgen verify '{bucket_folder}'", tmp_path)
    assert "intact" in printed


def scheduled(name: str) -> str:
    """Give what a file of docs/deploy lets a shell run."""
    text = (ROOT / "docs" / "deploy" / name).read_text(encoding="utf-8")
    if name == "reportgen.cron":
        (line,) = [one for one in text.splitlines() if one.split()[2:5] == ["*"] * 3]
        *when, account, command = line.split(maxsplit=6)
        assert [int(one) for one in when[:2]] == [30, 9]
        assert account == "reportgen"
        assert "%" not in command  # which cron would take for the end of the line
        return command
    if name == "reportgen.service":
        (command,) = re.findall(r"^ExecStart=/usr/bin/env (.*)$", text, re.MULTILINE)
        return f"set -a && . /etc/reportgen/environment && {command}"
    (job,) = yaml.safe_load(text)["jobs"].values()
    checkout, drafts = job["steps"]
    assert checkout == {"uses": "actions/checkout@v4"}
    assert drafts["env"]["CYCLE"] == "${{ inputs.cycle || 'previous' }}"
    return f"CYCLE=previous\n{drafts['run']}"


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["reportgen.cron", "reportgen.service", "github-actions.yml"])
def test_what_is_scheduled_runs(tmp_path, name):
    job = covered(tmp_path / "srv" / "chargeback")
    (tmp_path / "chargeback").symlink_to(job.folder)
    (tmp_path / "environment").write_text("DEVIN_API_TOKEN=cog_x\n", encoding="utf-8")
    command = dated(scheduled(name)).replace("/srv/", f"{tmp_path}/srv/")
    walked(command.replace("/etc/reportgen/", f"{tmp_path}/"), tmp_path)
    assert job.statement()["status"] == "draft"


def accounts(folder: Path) -> None:
    """Make the files of a machine that has no account yet."""
    (folder / "root" / "etc").mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (folder / "root" / "etc" / name).touch()


def owned(block: str) -> str:
    """Let what belongs to an account that is not there belong to who runs the tests."""
    return re.sub(r" -[og] reportgen\b", "", block)


# For auditors


@pytest.mark.heavy
def test_a_correction_is_checked_by_hand_as_it_is_written(corrected):
    """Of a correction in its archive, as a pack has it."""
    block = blocks("docs/auditor.md", "sh")[0].replace("CC-1001 --line 3", "A-1 --line 1")
    block = block.replace("CONFIG", f"'{corrected.folder}'")
    printed = walked(block, corrected.archive).splitlines()
    whole, told = printed[0].split()
    assert whole == told
    seal = printed[1].split()[0]
    assert any(seal in line for line in printed[2:6])


@pytest.mark.heavy
def test_a_copy_is_kept_as_it_is_written(closed, tmp_path):
    (tmp_path / "buckets" / "acme-chargeback-sealed").mkdir(parents=True)
    walked(blocks("docs/auditor.md", "sh")[1], closed.folder, BUCKETS=str(tmp_path / "buckets"))
    copied = tmp_path / "buckets" / "acme-chargeback-sealed" / DECEMBER
    assert (copied / "manifest.json").is_file()
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=copied, check=True)
