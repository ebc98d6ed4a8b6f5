"""Programs of others that documentation calls, and that tests do not have.

They take what is written there and nothing else, and do on this machine what they would do
elsewhere: a bucket is a folder in the folder BUCKETS, a container is a process, an image a file.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import duckdb as database

LOCKED = "lock.json"


def aws(words: Sequence[str]) -> None:
    """Make, lock and fill buckets."""
    parser = argparse.ArgumentParser("aws", allow_abbrev=False)
    services = parser.add_subparsers(required=True)
    calls = services.add_parser("s3api").add_subparsers(required=True)
    made = calls.add_parser("create-bucket")
    made.add_argument("--object-lock-enabled-for-bucket", action="store_true", required=True)
    made.set_defaults(do=lambda given: _bucket(given.bucket).mkdir())
    locked = calls.add_parser("put-object-lock-configuration")
    locked.add_argument("--object-lock-configuration", type=json.loads, required=True)
    locked.set_defaults(do=_lock)
    for call in (made, locked):
        call.add_argument("--bucket", required=True)
    copied = services.add_parser("s3").add_subparsers(required=True).add_parser("cp")
    copied.add_argument("--recursive", action="store_true")
    copied.add_argument("--checksum-algorithm", choices=("SHA256",))
    copied.add_argument("--exclude", default="")
    copied.add_argument("source", type=Path)
    copied.add_argument("target")
    copied.set_defaults(do=_copy)
    given = parser.parse_args(words)
    given.do(given)


def _bucket(name: str) -> Path:
    return Path(os.environ["BUCKETS"]) / name


def _lock(given: argparse.Namespace) -> None:
    lock = given.object_lock_configuration
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert lock["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"
    (_bucket(given.bucket) / LOCKED).write_text(json.dumps(lock), encoding="utf-8")


def _copy(given: argparse.Namespace) -> None:
    """Copy as is done there: the content of a folder, or one file; nothing is there already."""
    scheme, _, path = given.target.partition("://")
    assert scheme == "s3"
    assert given.recursive == given.source.is_dir()
    target = _bucket(path)
    files = [one for one in given.source.rglob("*") if one.is_file()] or [given.source]
    for file in files:
        name = file.relative_to(given.source)
        if not fnmatch(str(name), given.exclude):
            assert not (target / name).exists()
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / name)


def docker(words: Sequence[str]) -> None:
    """Build an image, and run its program without what a container has not."""
    parser = argparse.ArgumentParser("docker", allow_abbrev=False)
    calls = parser.add_subparsers(required=True)
    built = calls.add_parser("build")
    built.add_argument("-f", type=Path, required=True)
    built.add_argument("-t", required=True)
    built.add_argument("--secret", default="")
    built.add_argument("context", type=Path)
    built.set_defaults(do=_build)
    run = calls.add_parser("run")
    for name in ("--rm", "--read-only"):
        run.add_argument(name, action="store_true", required=True)
    run.add_argument("--tmpfs", choices=("/tmp",), required=True)  # noqa: S108 - inside
    run.add_argument("--cap-drop", choices=("ALL",), required=True)
    run.add_argument("-e", action="append", default=[])
    run.add_argument("-v", type=lambda text: text.split(":"))
    run.add_argument("image")
    run.add_argument("words", nargs=argparse.REMAINDER)
    run.set_defaults(do=_run)
    given = parser.parse_args(words)
    given.do(given)


def _build(given: argparse.Namespace) -> None:
    assert (given.context / given.f).is_file()
    if given.secret:
        kind, source = given.secret.split(",")
        name = kind.removeprefix("id=")
        assert f"type=secret,id={name}," in given.f.read_text(encoding="utf-8")
        assert source.startswith("src=/")
    Path(given.t).write_text("an image", encoding="utf-8")


def _run(given: argparse.Namespace) -> None:
    """Only what is named in the environment goes along; folders lie where they lie outside."""
    assert Path(given.image).is_file()
    inside, outside = given.v
    assert inside == outside
    kept = {"PATH", "PYTHONPATH", *given.e}
    own = {name: value for name, value in os.environ.items() if name in kept}
    command = [sys.executable, "-m", "reportgen", *given.words]
    sys.exit(subprocess.run(command, env=own, check=False).returncode)


def duckdb(words: Sequence[str]) -> None:
    """Answer a question."""
    option, question = words
    assert option == "-c"
    sys.stdout.write(f"{database.sql(question).fetchall()}\n")


if __name__ == "__main__":
    {"aws": aws, "docker": docker, "duckdb": duckdb}[sys.argv[1]](sys.argv[2:])
