"""`init`: a commented configuration to start from, what editors check it by, templates to edit."""

from pathlib import Path

from reportgen.operations.context import DONE, Context
from reportgen.operations.starting import (
    FILES,
    SCHEMAS,
    TEMPLATES,
    appearing,
    refuse_in_the_way,
    refuse_wrong_place,
    start_files,
    write_all,
)


def init(folder: Path, context: Context) -> int:
    """Write the configuration and the templates; raises Rejected where they cannot be there."""
    refuse_wrong_place(folder)
    refuse_in_the_way(folder, (*FILES, TEMPLATES, SCHEMAS))
    contents = start_files()
    with appearing(folder) as whole:
        write_all(whole, folder, contents)
    count = sum(name.startswith(f"{TEMPLATES}/") for name in contents)
    context.terminal.result(f"Wrote {', '.join(FILES)} and {count} templates into {folder}")
    context.terminal.result(f"Open {folder / FILES[0]}: it says what to do first.")
    context.terminal.result(
        f"No template is used until `templates: {TEMPLATES}` is uncommented there; keep only those "
        "you change, as each that stays hides a better one of a later version."
    )
    context.terminal.values({"folder": str(folder), "files": sorted(contents)})
    return DONE
