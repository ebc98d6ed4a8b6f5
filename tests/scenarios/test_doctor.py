"""`doctor`: what it says where all is well, and of one fault after the other, each a real one."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reportgen.commands.doctor.doctor import _lines, doctor
from reportgen.commands.doctor.finding import told
from reportgen.core.problem import Problem
from tests.fakeapi.api import FakeApi
from tests.fakeapi.behavior import ADMIN, PERSONAL, Credential, organization_token
from tests.fakeapi.server import serving
from tests.fakeapi.worlds import big_world
from tests.postoffice import PASSWORD, USER, certified, open_office
from tests.scenarios.collecting.live import DAILY3, Live, live, mapped, own_credentials
from tests.scenarios.job import ROOT, Job, small

WORLD = big_world(users=4, organizations=3)
MAPPING = mapped(WORLD)
ORGANIZATION = WORLD.organizations[1].org_id
CYCLES3 = "/v3/enterprise/consumption/cycles"
USERS3, SESSIONS3 = "/v3/enterprise/members/users", "/v3/enterprise/sessions"
PAIR3 = "/v3/organizations/{org_id}/consumption/daily/users/{user_id}"
DAILIES3 = (
    *(DAILY3, f"{DAILY3}/organizations/{{org_id}}", f"{DAILY3}/users/{{user_id}}"),
    *(f"{DAILY3}/service-users/{{service_user_id}}", PAIR3),
)
LISTS3 = (
    "/v3/enterprise/organizations",
    "/v3/enterprise/members/idp-users",
    "/v3/enterprise/members/service-users",
)
MAIL = "email:\n  host: localhost\n  port: {port}\n  from: " + USER + "\n{more}"
BY_PASSWORD = "  password_env: MAIL_PASSWORD\n"
UNCERTIFIED = "  security: plain\n"


@dataclass(frozen=True)
class Seen:
    """What doctor said, by the part it was looking at."""

    code: int
    checks: list[dict[str, str]]

    def wrong(self) -> dict[str, tuple[str, str]]:
        """Give message and remedy of each part that is a problem."""
        return {
            one["part"]: (one["message"], one["hint"])
            for one in self.checks
            if one["state"] == "problem"
        }

    def states(self) -> dict[str, str]:
        return {one["part"]: one["state"] for one in self.checks}

    def message(self, part: str) -> str:
        return next(one["message"] for one in self.checks if one["part"] == part)


def looked(job: Live, **environment: str) -> Seen:
    """Run it with the clock of the machine."""
    job.now = datetime.now(UTC)
    changed = replace(job, environment=job.environment | environment, said=[])
    said = changed.command(lambda context: doctor(job.folder, context), machine=True)
    assert said.stdout, said.stderr
    values = json.loads(said.stdout)
    assert [one["message"] for one in values["problems"]] == [
        one["message"] for one in values["checks"] if one["state"] == "problem"
    ]
    for one in values["checks"]:
        assert bool(one["hint"]) == (one["state"] in {"problem", "warning"}), one
    return Seen(said.code, values["checks"])


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(WORLD, ahead=0) as api:
        yield api
        assert api.violations == []


@pytest.fixture
def sound(api: FakeApi, tmp_path: Path) -> Live:
    """Give a configuration in which all is well; its archive is there, and nobody else's."""
    job = live(tmp_path / "job", api, MAPPING)
    (job.folder / "archive").mkdir(mode=0o700)
    return job


def mailing(job: Live, port: int, more: str = UNCERTIFIED) -> Live:
    with (job.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write(MAIL.format(port=port, more=more))
    return job


@contextmanager
def dead_port() -> Iterator[int]:
    """Give a port that nobody listens at, and nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port at which one is let in, and never answered."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent.getsockname()[1]


# All is well


def test_all_is_well(sound):
    with open_office() as office:
        seen = looked(mailing(sound, office.port))
        assert office.commands == ["EHLO", "QUIT"]
    assert seen.code == 0
    assert set(seen.states().values()) == {"ok"}, seen.checks
    assert list(seen.states()) == [
        *("configuration", "program", "libraries", "fonts", "temporary files", "archive"),
        *("archive's readers", "proxy", "API", "clock", "token", "views", "mail"),
    ]
    assert seen.message("token").endswith("for the whole enterprise")
    assert seen.message("views") == (
        "billing cycles, consumption of the enterprise, organizations, users, users of the "
        "identity provider, service users, sessions, consumption of organizations, consumption of "
        "users, consumption of service users, consumption of users within an organization may be "
        "read"
    )
    assert list((sound.folder / "archive").iterdir()) == []


def test_every_view_is_asked_for_once(sound, api):
    looked(sound)
    assert set(api.seen.templates.values()) == {1}
    assert len(api.seen.templates) == 12
    assert all(line.startswith("GET ") for line in api.seen.lines)


def test_each_part_is_a_line_and_a_remedy_below_it(sound):
    (sound.folder / "archive").chmod(0o755)
    sound.now = datetime.now(UTC)
    said = sound.command(lambda context: doctor(sound.folder, context))
    assert (said.code, said.stderr) == (1, "")
    lines = said.stdout.splitlines()
    found = next(n for n, line in enumerate(lines) if line.startswith("problem"))
    assert lines[found].split()[1:3] == ["archive's", "readers"]
    (remedy,) = [line for line in lines[found:] if line.strip().startswith("→ ")]
    assert "chargeback.yaml:6: `chmod -R go-rwx" in remedy
    assert lines[found + 1].startswith(" " * 20)
    assert lines[-1] == "1 problem, 0 warnings"


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_messages_are_as_long_as_the_terminal_is_wide_and_remedies_can_be_copied(columns):
    seen = Problem(source="reportgen", message="may be read, " * 30, hint="chmod -R " + "x" * 90)
    first, *more, remedy = _lines(told("views", seen), 17, columns)
    assert len(more) > 2
    assert max(map(len, (first, *more))) <= max(columns, 70)
    assert remedy.endswith(f"→ {seen.hint}")


def test_machines_are_told_versions_and_warnings(sound):
    with (sound.folder / "mapping.yaml").open("a", encoding="utf-8") as file:
        file.write('tags: {"project:*": Z-9}\n')
    sound.now = datetime.now(UTC)
    said = sound.command(lambda context: doctor(sound.folder, context), machine=True)
    values = json.loads(said.stdout)
    assert said.code == 0
    assert {"reportgen", "python", "weasyprint", "pango", "fontconfig"} <= values["versions"].keys()
    told = [one["message"] for one in values["checks"] if one["state"] == "warning"]
    assert [one["message"] for one in values["warnings"]] == told
    assert [one["code"] for one in values["warnings"]] == ["rules-unused"]


def test_an_empty_folder_has_a_machine(tmp_path):
    seen = looked(Live(tmp_path, {}))
    assert seen.code == 0
    assert seen.states() == {
        "configuration": "not tried",
        "program": "ok",
        "libraries": "ok",
        "fonts": "ok",
        "temporary files": "ok",
    }


def test_a_configuration_that_cannot_be_read_is_a_problem_and_the_machine_is_looked_at(sound):
    (sound.folder / "mapping.yaml").write_text("cost_centers: 5\n", encoding="utf-8")
    seen = looked(sound)
    assert seen.code == 1
    assert seen.wrong().keys() == {"configuration"}
    assert seen.states()["libraries"] == "ok"
    assert seen.states()["views"] == "ok", "chargeback.yaml says where the API is"


def test_where_chargeback_yaml_has_a_mistake_it_is_not_followed(sound, api):
    with (sound.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("archive_mode: everybody\n")
    seen = looked(sound)
    assert seen.wrong().keys() == {"configuration"}
    assert "archive" not in seen.states()
    assert not api.seen.lines


def test_what_would_be_sent_in_clear_text_is_not_sent(tmp_path):
    job = live(tmp_path / "job", FakeApi(WORLD), MAPPING)
    text = (job.folder / "chargeback.yaml").read_text(encoding="utf-8")
    text = text.replace("base_url: ", "base_url: http://api.example")
    (job.folder / "chargeback.yaml").write_text(text, encoding="utf-8")
    seen = looked(job)
    assert "clear text" in seen.wrong()["configuration"][0]
    assert "API" not in seen.states()


def test_a_recording_stands_in_for_the_api(tmp_path):
    job = small(tmp_path / "job")
    seen = looked(Live(job.folder, {}))
    assert seen.code == 0
    assert seen.states()["API"] == "not tried"


# Faults of the machine: in a process whose loader finds an empty file in the library's place


def in_a_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if key != "FONTCONFIG_FILE"}
    return subprocess.run(
        [sys.executable, "-m", "reportgen", *arguments],
        cwd=ROOT,
        env=own | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def without_pango(tmp_path: Path) -> str:
    folder = tmp_path / "no libraries"
    folder.mkdir()
    (folder / "libpango-1.0.so.0").touch()
    return str(folder)


@pytest.mark.heavy
def test_pango_that_is_missing_is_named_without_it(without_pango, tmp_path):
    done = in_a_process("doctor", str(tmp_path), "--json", LD_LIBRARY_PATH=without_pango)
    assert done.returncode == 1, done.stderr
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"].startswith("the libraries pango, pangoft2 cannot be found")
    assert problem["hint"] == "on Debian: `apt-get install libpango-1.0-0 libpangoft2-1.0-0`"


@pytest.mark.heavy
def test_a_font_that_is_missing_is_named(tmp_path):
    """The machine's folder of fonts, but for one package's, stands where fontconfig looks."""
    if not shutil.which("unshare") or os.geteuid():
        pytest.skip("only root may take a font away for a process alone")
    folders = {path.parent for path in Path("/usr/share/fonts").rglob("DejaVuSans*.ttf")}
    (tmp_path / "empty").mkdir()
    away = "".join(f"mount --bind '{tmp_path}/empty' '{folder}' || exit 77; " for folder in folders)
    program = f"{away} exec '{sys.executable}' -m reportgen doctor '{tmp_path}/empty' --json"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", program],
        cwd=ROOT,
        env={**os.environ, **cache},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"].startswith("the fonts DejaVuSans.ttf, DejaVuSans-Bold.ttf cannot")
    assert problem["hint"] == "on Debian: `apt-get install fonts-dejavu-core`"


def test_without_a_folder_for_temporary_files_it_says_so(sound, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    seen = looked(sound)
    assert seen.wrong()["temporary files"][1] == "name a folder that can be written in TMPDIR"


@pytest.mark.heavy
def test_shared_memory_that_cannot_be_written_is_named(tmp_path):
    """As in a container of which even /dev/shm is read-only."""
    shared = Path(os.sep, "dev", "shm")
    if not shutil.which("unshare") or os.geteuid() or not shared.is_dir():
        pytest.skip("only root may take it away for a process alone")
    program = f"exec '{sys.executable}' -m reportgen doctor '{tmp_path}' --json"
    mounted = f"mount -t tmpfs -o ro tmpfs {shared} || exit 77; {program}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"].startswith("shared memory, which processes lock by, is missing: read")
    assert problem["hint"] == "mount a tmpfs at /dev/shm"


# Faults of the archive


def test_an_archive_that_its_owner_may_not_write_is_named(sound):
    """By its mode, as root, who gets past that, is not who runs it every month."""
    archive = sound.folder / "archive"
    archive.chmod(0o500)
    seen = looked(sound)
    archive.chmod(0o700)
    assert seen.code == 1
    ((message, hint),) = seen.wrong().values()
    assert str(archive) in message
    assert "written" in message
    assert hint in {f"`chmod u+rwx {archive}`", "name a folder that you may write to"}


@pytest.mark.heavy
def test_an_archive_on_a_disk_that_is_read_only_is_named(sound):
    if not shutil.which("unshare") or os.geteuid():
        pytest.skip("only root may mount it so for a process alone")
    archive = sound.folder / "archive"
    mount = f"mount --bind {archive} {archive} && mount -o remount,bind,ro {archive} || exit 77; "
    program = f"{mount} exec '{sys.executable}' -m reportgen doctor '{sound.folder}' --json"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", program],
        cwd=ROOT,
        env=os.environ | sound.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"] == f"the archive folder {archive} cannot be written"


def test_a_draft_that_cannot_be_written_is_named_and_a_sealed_cycle_is_not(sound):
    draft, sealed = (sound.folder / "archive" / day for day in ("2025-12-05", "2025-11-05"))
    for folder in (draft, sealed):
        folder.mkdir(mode=0o500)
    sealed.chmod(0o700)
    (sealed / "manifest.json").touch(mode=0o400)
    sealed.chmod(0o500)
    seen = looked(sound)
    assert seen.wrong().keys() == {"archive"}
    assert seen.wrong()["archive"][1] == f"`chmod u+rwx {draft}`"


def test_an_archive_below_a_file_is_named(sound):
    (sound.folder / "archive").rmdir()
    (sound.folder / "archive").touch()
    assert "is not a folder" in looked(sound).wrong()["archive"][0]


@pytest.mark.quick(1)
@pytest.mark.parametrize(
    ("mode", "path"), [(0o755, "."), (0o701, "."), (0o644, "2025-12-05/statement.json")]
)
def test_an_archive_that_others_may_read_is_named(sound, mode, path):
    archive = sound.folder / "archive"
    (archive / "2025-12-05").mkdir(mode=0o700)
    (archive / "2025-12-05" / "statement.json").touch(mode=0o600)
    (archive / path).chmod(mode)
    seen = looked(sound)
    assert seen.code == 1
    ((message, hint),) = seen.wrong().values()
    assert message == f"{archive / path} is open to others than its owner"
    assert hint.startswith(f"`chmod -R go-rwx {archive}`")


def test_where_the_group_is_to_read_it_only_the_rest_is_named(sound):
    with (sound.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("archive_mode: group\n")
    archive = sound.folder / "archive"
    archive.chmod(0o750)
    seen = looked(sound)
    assert seen.code == 0
    assert " and the group " in seen.message("archive's readers")
    archive.chmod(0o755)
    assert looked(sound).wrong()["archive's readers"] == (
        f"{archive} is open to everybody",
        f"`chmod -R o-rwx {archive}`",
    )


def test_an_archive_behind_a_link_is_looked_at_and_links_in_it_are_not(sound, tmp_path):
    archive = sound.folder / "archive"
    (archive / "link").symlink_to(tmp_path)
    assert looked(sound).code == 0
    archive.rename(tmp_path / "elsewhere")
    archive.symlink_to(tmp_path / "elsewhere")
    assert looked(sound).code == 0
    (tmp_path / "elsewhere").chmod(0o755)
    assert looked(sound).wrong()["archive's readers"][0].startswith(str(tmp_path / "elsewhere"))


def test_an_archive_that_its_group_is_to_read_and_cannot_is_named(sound):
    with (sound.folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("archive_mode: group\n")
    seen = looked(sound)
    assert seen.wrong()["archive's readers"][1] == f"`chmod g+rx {sound.folder / 'archive'}`"


@pytest.mark.heavy
def test_what_our_own_commands_write_is_nobody_elses(corrected):
    seen = looked(Live(corrected.folder, {}))
    assert seen.code == 0, seen.checks
    assert seen.states()["archive's readers"] == "ok"


# Faults of the way


def test_a_clock_that_is_off_is_named(sound, api):
    api.behavior.ahead = -3600
    message, hint = looked(sound).wrong()["clock"]
    assert message.endswith("is 60 minutes ahead of the API's")
    assert hint.startswith("set it")
    api.behavior.ahead = 3600 * 50
    assert looked(sound).wrong()["clock"][0].endswith("is 2 days behind the API's")
    api.behavior.ahead = None
    assert looked(sound).states()["clock"] == "not tried"


def test_a_dead_proxy_is_named(sound, api):
    with dead_port() as port:
        proxy = f"http://user:s3cret@127.0.0.1:{port}"
        seen = looked(sound, HTTP_PROXY=proxy)
    assert seen.wrong().keys() == {"proxy"}
    message, hint = seen.wrong()["proxy"]
    where = f"http://127.0.0.1:{port}, which {api.base_url} is asked through"
    assert message == f"{where}: connection refused"
    assert "HTTPS_PROXY" in hint
    assert "NO_PROXY" in hint
    assert seen.states()["API"] == "not tried"
    assert looked(sound, HTTP_PROXY=proxy, NO_PROXY="127.0.0.1").code == 0


def test_an_api_that_is_not_there_is_named(sound, api):
    text = (sound.folder / "chargeback.yaml").read_text(encoding="utf-8")
    with dead_port() as port:
        there = f"http://127.0.0.1:{port}"
        text = text.replace(api.base_url, there)
        (sound.folder / "chargeback.yaml").write_text(text, encoding="utf-8")
        seen = looked(sound)
    assert seen.wrong()["API"][0] == f"{there} cannot be reached: connection refused"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certified(tmp_path_factory.mktemp("certificate"))


def test_an_authority_that_did_not_sign_is_named(certificate, tmp_path, monkeypatch):
    other, _ = certified(tmp_path)
    with serving(WORLD, certificate=certificate, ahead=0) as api:
        job = live(tmp_path / "job", api, MAPPING)
        trusting = {"SSL_CERT_FILE": str(other), "SSL_CERT_DIR": os.devnull}
        for name, value in trusting.items():
            monkeypatch.setenv(name, value)
        message, hint = looked(job, **trusting).wrong()["API"]
        assert message.startswith("the server's certificate is not trusted (self")
        assert "SSL_CERT_FILE" in hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        seen = looked(job, **trusting | {"SSL_CERT_FILE": str(certificate[0])})
        assert seen.code == 0, seen.checks
        assert seen.message("authorities").startswith(f"{certificate[0]} (1)")


@pytest.mark.quick(1)
@pytest.mark.parametrize(("content", "said"), [(None, "is not there"), ("x", "no certificate")])
def test_a_file_of_authorities_that_is_none_is_named(
    certificate, tmp_path, monkeypatch, content, said
):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(WORLD, certificate=certificate) as api:
        seen = looked(live(tmp_path / "job", api, MAPPING), SSL_CERT_FILE=str(file))
    message, _ = seen.wrong()["authorities"]
    assert message.startswith(f"SSL_CERT_FILE names {file}")
    assert said in message


# Faults of the token


def test_a_token_that_is_missing_is_named(sound, api):
    seen = looked(sound, DEVIN_API_TOKEN="")
    assert seen.wrong() == {
        "token": (
            "the environment variable DEVIN_API_TOKEN is not set",
            "set it to the key of a service user (cog_…)",
        )
    }
    assert not api.seen.lines


def test_a_wrong_key_is_named_and_never_shown(sound):
    seen = looked(sound, DEVIN_API_TOKEN="cog_wrong")
    message, hint = seen.wrong()["token"]
    assert message == 'the API answered 401 ("Unauthorized") to the key in DEVIN_API_TOKEN'
    assert hint.startswith("check the token")
    assert seen.states()["views"] == "not tried"
    assert "cog_wrong" not in json.dumps(seen.checks)


@pytest.mark.quick(2)
@pytest.mark.parametrize("key", [ADMIN, "0123456789"])
def test_a_key_of_v2_is_named_where_v3_is_configured(sound, api, key):
    api.access.tokens["0123456789"] = Credential(version="v2")
    message, hint = looked(sound, DEVIN_API_TOKEN=key).wrong()["token"]
    variable = "the environment variable DEVIN_API_TOKEN"
    assert message == f"{variable} holds a key of v2, but `api` is v3"
    assert hint.endswith("or write `api: v2` under `source`")


def test_a_key_of_v3_is_named_where_v2_is_configured(api, tmp_path):
    job = live(tmp_path, api, MAPPING, "api: v2")
    assert looked(job).code == 0
    message, _ = looked(job, DEVIN_API_TOKEN="cog_enterprise").wrong()["token"]
    assert message.endswith("holds a key of v3, but `api` is v2")


def test_the_key_of_an_organization_is_named_where_the_enterprises_is_wanted(sound):
    seen = looked(sound, DEVIN_API_TOKEN=organization_token(ORGANIZATION))
    message, hint = seen.wrong()["token"]
    assert message.endswith("It cannot read the enterprise's consumption")
    assert hint.startswith("list it under `source: {organizations: …}`")


def test_every_organization_has_its_own(api, tmp_path):
    job = live(tmp_path, api, MAPPING, own_credentials(WORLD))
    seen = looked(job)
    assert seen.code == 0, seen.checks
    assert sum(one["part"] == "token" for one in seen.checks) == 3
    swapped = looked(job, TOKEN_0=organization_token(ORGANIZATION))
    assert "It is configured for" in swapped.wrong()["token"][0]


def test_a_personal_key_is_a_persons(sound):
    assert "Credential of user Pat" in looked(sound, DEVIN_API_TOKEN=PERSONAL).message("token")


# Faults of permissions


@pytest.mark.quick(2)
@pytest.mark.parametrize(
    ("template", "view", "hint"),
    [
        (DAILY3, "consumption of the enterprise", "give the credential the permission to read con"),
        (f"{DAILY3}/users/{{user_id}}", "consumption of users", "give the credential the permiss"),
        (USERS3, "users", "give the credential the permission to read organizations, members"),
        (CYCLES3, "billing cycles", "give the credential the permission to read the billing cy"),
    ],
)
def test_a_view_that_is_refused_is_named(sound, api, template, view, hint):
    api.forbid(template)
    seen = looked(sound)
    assert seen.code == 1
    ((part, (message, remedy)),) = seen.wrong().items()
    assert part == "views"
    assert message == f"{view}: the API answers 403 to this credential"
    assert remedy.startswith(hint)


@pytest.mark.quick(1)
@pytest.mark.parametrize("template", [SESSIONS3, PAIR3])
def test_a_view_that_can_be_done_without_is_a_warning(sound, api, template):
    api.forbid(template)
    seen = looked(sound)
    assert seen.code == 0
    assert "warning" in [one["state"] for one in seen.checks]


def test_views_of_one_remedy_are_one_line(sound, api):
    """A role may read metrics, members and sessions, and not consumption."""
    for template in DAILIES3:
        api.forbid(template)
    refused = [one for one in looked(sound).checks if one["part"] == "views"][1:]
    whose = ("the enterprise", "organizations", "users", "service users")
    assert [(one["state"], one["message"].partition(":")[0]) for one in refused] == [
        ("problem", ", ".join(f"consumption of {name}" for name in whose)),
        ("warning", "consumption of users within an organization"),
    ]


@pytest.mark.quick(1)
@pytest.mark.parametrize(("status", "part"), [(403, "views"), (404, "API")])
def test_where_everything_is_refused_one_line_says_so(sound, api, status, part):
    for template in ("/v3/self", DAILY3, CYCLES3, USERS3, SESSIONS3, *LISTS3):
        api.forbid(template, status)
    seen = looked(sound)
    ((said, (message, _)),) = seen.wrong().items()
    assert said == part
    assert message == f"{api.base_url} answers {status} to every question"
    assert len([one for one in seen.checks if one["state"] == "problem"]) == 1


@pytest.mark.quick(1)
@pytest.mark.parametrize("fault", ["503", "429", "maintenance", "cut before", "not json"])
def test_an_api_that_fails_is_named(sound, api, fault):
    api.faults.script(*[fault] * 9)
    seen = looked(sound)
    assert seen.wrong().keys() == {"API"}
    assert "at every attempt" not in seen.wrong()["API"][0]
    assert "collected" not in seen.wrong()["API"][1]


def test_who_has_left_since_is_no_refusal(sound, api):
    api.lose(f"{DAILY3}/users/{{user_id}}")
    assert looked(sound).code == 0


def test_with_the_day_of_the_contract_the_cycles_need_not_be_told(api, tmp_path):
    job = live(tmp_path, api, MAPPING, "cycle_day: 5")
    api.forbid(CYCLES3)
    assert looked(job).code == 0


# Faults of the mail server


def test_a_mail_host_that_cannot_be_reached_is_named(sound):
    with dead_port() as port:
        seen = looked(mailing(sound, port))
    assert seen.wrong().keys() == {"mail"}
    assert "cannot be reached: connection refused" in seen.wrong()["mail"][0]


def test_a_sign_in_that_fails_is_named_and_nothing_is_sent(sound, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with open_office(certificate, sign_in=True) as office:
        job = mailing(sound, office.port, BY_PASSWORD)
        refused = looked(job, MAIL_PASSWORD="wrong")
        assert "does not let" in refused.wrong()["mail"][0]
        unset = looked(job)
        assert unset.wrong()["mail"][0] == "the environment variable MAIL_PASSWORD is not set"
        assert looked(job, MAIL_PASSWORD=PASSWORD).code == 0
        assert not {"MAIL", "RCPT", "DATA"} & {*office.commands}


# It ends


@pytest.mark.heavy
def test_where_nobody_answers_it_ends_within_ten_seconds(sound, api):
    with silent_port() as port, silent_port() as post:
        text = (sound.folder / "chargeback.yaml").read_text(encoding="utf-8")
        text = text.replace(api.base_url, f"http://127.0.0.1:{port}")
        (sound.folder / "chargeback.yaml").write_text(text, encoding="utf-8")
        mailing(sound, post)
        began = time.monotonic()
        done = in_a_process("doctor", str(sound.folder), "--json", DEVIN_API_TOKEN="cog_x")
        assert time.monotonic() - began < 10
    assert done.returncode == 1, done.stderr
    found = {one["part"] for one in json.loads(done.stdout)["checks"] if one["state"] == "problem"}
    assert found == {"API", "mail"}


@pytest.mark.heavy
def test_where_no_name_server_answers_it_ends_within_ten_seconds(sound, api, tmp_path):
    """Asking for a name cannot be ended; the command is, all the same."""
    if not shutil.which("unshare") or os.geteuid():
        pytest.skip("only root may change the name server for a process alone")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.9.9.9", 53))
        except OSError as error:
            pytest.skip(f"no name server can be played here: {error}")
        servers = tmp_path / "resolv.conf"
        servers.write_text("nameserver 127.9.9.9\noptions timeout:9 attempts:3\n")
        path = sound.folder / "chargeback.yaml"
        text = path.read_text(encoding="utf-8").replace(api.base_url, "https://api.slow.example")
        path.write_text(text, encoding="utf-8")
        program = f"mount --bind {servers} /etc/resolv.conf || exit 77; exec {sys.executable} -m "
        program += f"reportgen doctor '{sound.folder}' --json"
        began = time.monotonic()
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", program],
            cwd=ROOT,
            env=os.environ | sound.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
    if done.returncode not in {0, 1}:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["message"] == "nothing more was heard within 6 seconds"
    assert seconds < 10


# What needs no library


@pytest.mark.heavy
def test_what_draws_nothing_needs_no_pango(closed: Job, without_pango, tmp_path):
    folder, archive = str(closed.folder), str(closed.archive)
    cycle = ("--cycle", "2025-12-05")
    for arguments in (
        ("--help",),
        ("--version",),
        ("init", str(tmp_path / "new")),
        ("check", folder),
        ("check", folder, *cycle),
        ("cycles", folder),
        ("verify", archive, "--quick"),
        ("export", folder, *cycle, "--format", "csv"),
        ("export", folder, *cycle, "--format", "focus"),
        ("export", folder, *cycle, "--format", "audit"),
        ("explain", folder, "A-1", *cycle),
    ):
        done = in_a_process(*arguments, LD_LIBRARY_PATH=without_pango)
        assert done.returncode == 0, (arguments, done.stderr)
    drawn = in_a_process("verify", archive, LD_LIBRARY_PATH=without_pango)
    assert drawn.returncode != 0, "this one draws: Pango is really missing"
