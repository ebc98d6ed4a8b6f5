"""Two closed cycles, November and December, whose configuration lies all over the place."""

import json
from pathlib import Path
from subprocess import CompletedProcess

from tests.scenarios.job import NOVEMBER, Job, Json, decorated, plain, small

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


def close_both(job: Job) -> None:
    """Close November, whose documents nobody reads, then December."""
    plain(job)
    for start in (NOVEMBER, "2025-12-05"):
        if start != NOVEMBER:
            decorated(job)
        succeeded(job.here("collect", cycle=start))
        succeeded(job.here("close", "--accept", REASON, *PEOPLE, cycle=start))


def succeeded(result: CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stderr


def manifest_of(folder: Path) -> Json:
    manifest: Json = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest
