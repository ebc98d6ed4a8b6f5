"""The archive: whether it can be written, how much room it has, and who else may read it."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

from reportgen.archive.access import (
    closed_to_group,
    open_to_others,
    shut,
    standing,
    try_to_write,
)
from reportgen.archive.folder import refuse_unwritable
from reportgen.commands.doctor.finding import Finding, fine, told, untried, wrong
from reportgen.core.problem import Rejected
from reportgen.core.text import said_by_system
from reportgen.sources.config.configuration import Configuration

PART, READERS = "archive", "archive's readers"
LEAST_ROOM = 100 * 1024**2
"""Bytes: a cycle of a few cost centers, made beside the one that is there."""
GIB = 1024**3


def archive(configuration: Configuration) -> Iterator[Finding]:
    """Look at the archive, or at the folder in which it will be made."""
    yield _writing(configuration)
    yield _reading(configuration)


def _writing(configuration: Configuration) -> Finding:
    folder, source = configuration.archive, configuration.archive_source
    place = standing(folder)
    try:
        refuse_unwritable(folder, source)
        if closed := shut(place):
            message = f"{closed[0]} may not be written by its owner{_more(closed)}"
            chmod = f"`chmod u+rwx {closed[0]}`"
            hint = chmod if place == folder else "name a folder that you may write to"
            return wrong(PART, message, hint, source)
        try_to_write(place)
        room = shutil.disk_usage(place).free
    except Rejected as rejected:
        return told(PART, rejected.problems[0])
    except OSError as error:
        message = f"the archive folder {folder} cannot be written: {said_by_system(error)}"
        return wrong(PART, message, "mend that, or name another folder", source)
    if room < LEAST_ROOM:
        message = f"only {room // 1024**2} MiB are free where the archive {folder} lies"
        return wrong(PART, message, "make room, or name a folder on another disk", source)
    state = "can be written" if place == folder else f"can be made in {place}"
    return fine(PART, f"{folder} {state}; {room / GIB:.1f} GiB are free")


def _reading(configuration: Configuration) -> Finding:
    """Say who may read it: it has names, amounts and what everybody used."""
    folder, group = configuration.archive, configuration.group_reads
    if not folder.is_dir():
        who = "its owner and group" if group else "its owner alone"
        return untried(READERS, f"it is not there yet; {who} will read it")
    if exposed := open_to_others(folder, group=group):
        whom = "everybody" if group else "others than its owner"
        message = f"{exposed[0]} is open to {whom}{_more(exposed)}"
        hint = f"`chmod -R {'o' if group else 'go'}-rwx {folder}`"
        if not group:
            hint += ", or write `archive_mode: group` where the group is to read it"
        return wrong(READERS, message, hint, configuration.archive_source)
    if group and closed_to_group(folder):
        message = f"{folder} is closed to its group, though `archive_mode` is group"
        return wrong(READERS, message, f"`chmod g+rx {folder}`", configuration.archive_source)
    return fine(READERS, f"{_owners(folder, group=group)} may read it, nobody else")


def _owners(folder: Path, *, group: bool) -> str:
    """Name who may read it: by number where the machine knows no name."""
    status = folder.stat()
    owner, of_group = str(status.st_uid), str(status.st_gid)
    with suppress(KeyError):
        owner = getpwuid(status.st_uid).pw_name
    with suppress(KeyError):
        of_group = getgrgid(status.st_gid).gr_name
    return f"{owner} and the group {of_group}" if group else owner


def _more(paths: list[Path]) -> str:
    return f", and {len(paths) - 1} more in it" if len(paths) > 1 else ""
