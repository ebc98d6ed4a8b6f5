"""The fonts of an archive instead of the machine's: what fontconfig is told when a cycle is closed.

An archive keeps each font file once, by its hash. Which of them stands for which script is said by
our own fonts.conf; only where they lie is another place.
"""

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, parse, tostring

FONTS_CONF = Path(__file__).with_name("fonts.conf")


def configured(folder: Path, names: Iterable[str], cache: Path) -> bytes:
    """Write a configuration of fontconfig that knows the named files of a folder, and no others.

    It keeps what it learns of them in `cache`, so that it can write there whoever the user is.
    """
    root = parse(FONTS_CONF).getroot()  # noqa: S314 - our own file
    for machine in root.findall("dir"):
        root.remove(machine)
    kept = Element("dir")
    kept.text = str(folder.absolute())
    root.insert(0, kept)
    for caches in root.findall("cachedir"):
        root.remove(caches)
    SubElement(root, "cachedir").text = str(cache.absolute())
    accepted = root.find("selectfont/acceptfont")
    rejected = root.find("selectfont/rejectfont")
    if accepted is None or rejected is None:
        raise ValueError(FONTS_CONF)
    accepted.clear()
    for name in sorted(names):
        SubElement(accepted, "glob").text = f"*/{name}"
    SubElement(rejected, "glob").text = "*"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
