"""Two closed cycles, November and December, whose configuration lies all over the place."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from tests.scenarios.job import DECEMBER, NOVEMBER, Job, Json, contents, plain, small

REASON = "The kiosk has no owner yet (ticket 4711)"
PEOPLE = ("--prepared-by", "Ada Lovelace", "--approved-by", "Grace Hopper")
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4H0z"/></svg>\n'
HR = "email,cc,valid_from\nalan@acme.example,C-3,2025-01-01\n"


def scattered(folder: Path) -> Job:
    """Write the small configuration with files in other folders, and some that say more."""
    job = small(folder)
    for name, text in {
        "shared/people/hr.csv": HR,
        "shared/mapping.yaml": (folder / "mapping.yaml").read_text(encoding="utf-8")
        + "user_file: {path: people/hr.csv, user: email, cost_center: cc, from: valid_from}\n",
        "art/logo.svg": LOGO,
        "papers/INV-7.pdf": "%PDF-1.7 the vendor's own\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "mapping.yaml").unlink()
    job.edit("chargeback.yaml", "mapping: mapping.yaml", "mapping: art/../shared/mapping.yaml")
    with (folder / "chargeback.yaml").open("a", encoding="utf-8") as file:
        file.write("invoice: {logo: art/logo.svg, users: pseudonyms}\n")
    with (folder / "rates.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "vendor_invoices:\n"
            "  2025-11-05: {number: INV-6, amount: 1.00}\n"
            "  2025-12-05: {number: INV-7, amount: 19000.00, document: papers/INV-7.pdf}\n"
        )
    return job


def close_both(job: Job, *drawn: str) -> None:
    """Close November, whose documents nobody reads, then December, with some as they come."""
    plain(job)
    for start in (NOVEMBER, DECEMBER):
        if start == DECEMBER:
            for name in drawn:
                (job.folder / "templates" / name).unlink()
        succeeded(job.here("collect", cycle=start))
        succeeded(job.here("close", "--accept", REASON, *PEOPLE, cycle=start))


def succeeded(result: CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stderr


def manifest_of(folder: Path) -> Json:
    manifest: Json = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def forged(folder: Path, changes: Mapping[str, bytes | None]) -> None:
    """Change, add or remove files as somebody would who knows how it is sealed: with all hashes.

    Hashes are made by sha256sum, as by anybody.
    """
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    for name, content in changes.items():
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
    listed = sorted(contents(folder).keys() - {"SHA256SUMS", "manifest.json"})
    sums = subprocess.run(
        ["sha256sum", *listed], cwd=folder, capture_output=True, check=True
    ).stdout
    (folder / "SHA256SUMS").write_bytes(sums)
    reseal(folder, sums=hashlib.sha256(sums).hexdigest())


def reseal(folder: Path, /, **changed: object) -> None:
    """Let a manifest say something else."""
    path = folder / "manifest.json"
    path.chmod(0o600)
    path.write_bytes(written(manifest_of(folder) | changed))


def decided(folder: Path, **changed: object) -> dict[str, bytes]:
    """Give what was decided at a close, changed, for `forged`."""
    path = folder / "inputs" / "close.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    return {"inputs/close.json": written(values | changed)}


def written(values: Json) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def seal_of(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
