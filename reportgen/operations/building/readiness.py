"""Whether documents can be drawn here: asked before anything is collected, and said in one line.

The libraries have streams of their own to complain on. They are the command's, so nothing of
theirs gets there.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

import msgspec

from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import quoted
from reportgen.documents.pdf import fontconfig, installed
from reportgen.documents.pdf.glyphs import stood_in_for, texts_of
from reportgen.documents.tasks import Task
from reportgen.sources.config.configuration import Configuration

STREAMS = (1, 2)


@contextmanager
def ready_to_draw(configuration: Configuration) -> Iterator[None]:
    """Let documents be drawn with the fonts of a configuration.

    Raises Rejected where libraries or fonts are missing, or a font cannot be used.
    """
    added = fonts_of(configuration)
    with fontconfig.fonts_of(added):
        with silenced():
            problems = installed.missing() or _unread(configuration, added)
        if problems:
            raise Rejected(problems)
        yield


def undrawable(listed: Iterable[Task], configuration: Configuration) -> list[Problem]:
    """Warn of what U+FFFD will stand for, as far as can be told without drawing."""
    problems = []
    with fontconfig.fonts_of(fonts_of(configuration)), silenced():
        for task in listed:
            if task.path.endswith(".pdf"):
                texts = (text for _, text in texts_of(task.document))
                if characters := installed.lacking(texts):
                    problems.append(stood_in_for(characters, task.path, task.document))
    return problems


def fonts_of(configuration: Configuration) -> dict[str, bytes]:
    """Read the fonts that a configuration adds, by file name."""
    return {path.name: path.read_bytes() for path in configuration.fonts}


def versions_json() -> bytes:
    """Write what documents are drawn with: versions as they are loaded, and fonts by their hash."""
    with silenced():
        values = {
            "schema": "reportgen.versions/1",
            "versions": installed.versions(),
            "fonts": installed.fingerprints(),
        }
    return msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n"


class _Versions(msgspec.Struct):
    versions: dict[str, str]


def versions_in(content: bytes) -> dict[str, str]:
    """Read the versions that such a file names; none where it is not what was written there."""
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
        return msgspec.json.decode(content, type=_Versions).versions
    return {}


@contextmanager
def silenced() -> Iterator[None]:
    """Let libraries say nothing on the streams of this process."""
    kept = {}
    for stream in STREAMS:
        with suppress(OSError):  # one that is closed needs nothing
            kept[stream] = os.dup(stream)
    be_silent(kept)
    try:
        yield
    finally:
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)


def be_silent(streams: Mapping[int, int] | tuple[int, ...] = STREAMS) -> None:
    """Let what this process writes to some streams lead nowhere, for good."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _unread(configuration: Configuration, added: Mapping[str, bytes]) -> list[Problem]:
    """Give a problem per added font that fontconfig does not take for one."""
    return [
        Problem(
            source=configuration.fonts_source,
            message=f"the font {quoted(name)} cannot be read",
            hint="replace the file, or remove it",
        )
        for name in added
        if name not in installed.fonts()
    ]
