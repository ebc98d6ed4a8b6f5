"""The machine: what draws documents, with which fonts, in which versions; where files lie a while.

Law: nothing here is drawn, and neither WeasyPrint nor Pango is needed to say that it is missing.
"""

import os
import tempfile
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

from reportgen.archive.access import try_to_write
from reportgen.commands.doctor.finding import Finding, fine, told, untried, wrong
from reportgen.core.problem import Rejected
from reportgen.core.text import said_by_system
from reportgen.documents.pdf import fontconfig, installed
from reportgen.operations.building.readiness import ready_to_draw, silenced
from reportgen.sources.config.configuration import Configuration

NAMES = {
    "pango": "Pango",
    "harfbuzz": "HarfBuzz",
    "fontconfig": "fontconfig",
    "freetype": "FreeType",
    "weasyprint": "WeasyPrint",
}


def machine(configuration: Configuration | None) -> Iterator[Finding]:
    """Look at what every run needs, whatever is configured; fonts of a configuration as well."""
    with fontconfig.fonts_of({}), silenced():
        versions = installed.versions()
        libraries, fonts = installed.missing_libraries(), installed.missing_fonts()
        there = [path.parent for path in installed.fonts().values()]
    yield _program(versions)
    if libraries:
        yield from (told("libraries", problem) for problem in libraries)
    else:
        said = ", ".join(f"{name} {versions[key]}" for key, name in NAMES.items())
        yield fine("libraries", said)
    if versions["fontconfig"] == installed.UNKNOWN:
        yield untried("fonts", "only fontconfig, which is missing, tells which there are")
    elif fonts:
        yield from (told("fonts", problem) for problem in fonts)
    else:
        yield fine("fonts", f"{len(there)} files in {os.path.commonpath(there)}")
        yield from _added(configuration)
    yield _temporary()


def _program(versions: dict[str, str]) -> Finding:
    """Name the program, and the packages that it lacks."""
    lacking = [name for name in installed.PACKAGES if versions[name] == installed.UNKNOWN]
    if lacking:
        message = f"the Python packages {', '.join(lacking)} are not installed"
        return wrong("program", message, "install reportgen again, with its dependencies")
    return fine("program", f"reportgen {versions['reportgen']}, Python {versions['python']}")


def _added(configuration: Configuration | None) -> Iterator[Finding]:
    """Look at the fonts that a configuration adds."""
    if configuration is None or not configuration.fonts:
        return
    try:
        with ready_to_draw(configuration):
            names = ", ".join(path.name for path in configuration.fonts)
            yield fine("fonts added", names)
    except Rejected as rejected:
        yield from (told("fonts added", problem) for problem in rejected.problems)


def _temporary() -> Finding:
    """See that files can be kept for a while: documents are made beside each other."""
    hint = "name a folder that can be written in TMPDIR"
    try:
        folder = tempfile.gettempdir()
        try_to_write(Path(folder))
    except FileNotFoundError:
        return wrong("temporary files", "no folder for temporary files can be written", hint)
    except OSError as error:
        message = f"{error.filename} cannot be written: {said_by_system(error)}"
        return wrong("temporary files", message, hint)
    try:
        get_context("fork").Lock()  # lies in shared memory for a moment
    except OSError as error:
        message = f"shared memory, which processes lock by, is missing: {said_by_system(error)}"
        return wrong("temporary files", message, "mount a tmpfs at /dev/shm")
    return fine("temporary files", f"{folder} can be written")
