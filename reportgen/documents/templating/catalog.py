"""The words of a locale: `_()` and `ngettext` look them up in the catalogs `locale/<language>.po`.

Babel reads them as gettext does: plurals go by the catalog's own `Plural-Forms`, and an entry that
is marked fuzzy is not used. A word without a translation stands in English.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO, StringIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.documents.templating.errors import rejected

ENGLISH = "en"
COUNTED = range(201)
"""Numbers for which `Plural-Forms` must name a form; expressions repeat after a hundred."""
_QUOTING = re.compile(r'\s*(?:msgid|msgstr|msgctxt|")')
_QUOTED = re.compile(r'(?:msg\w+(?:\[\d\])?\s+)?"(?:[^"\\]|\\.)*"')
"""A line that holds a text; one that is not closed would be read without its last letter."""
_PLACE = re.compile(r"%\(\w+\)s")
_UNFIT_FOR_MARKUP = re.compile(r'[<>&"\\\x00-\x1f\x7f]')


def catalog(templates: Mapping[str, str], locale: str) -> NullTranslations:
    """Give the translations of a locale, with those of its language below them."""
    return _layered(tuple(catalogs(templates, locale).items()))


def catalogs(templates: Mapping[str, str], locale: str) -> dict[str, str]:
    """Give the texts of the catalogs of a locale by name: its language's, then its own."""
    names = dict.fromkeys((_language(locale), locale))
    files = ((name, templates.get(f"locale/{name}.po")) for name in names)
    return {name: text for name, text in files if text}


def untranslated(templates: Mapping[str, str], locales: Mapping[str, str]) -> list[Problem]:
    """Warn of every locale without a catalog, at the line that `locales` lead to."""
    return [
        Problem(
            source=source,
            message=f"{quoted(locale)} has no catalog of words: "
            "its documents stay English but for numbers and dates",
            hint=f"write the words into locale/{_language(locale)}.po "
            "in the folder that `templates` names",
            warning=True,
            code="catalog-missing",
        )
        for locale, source in locales.items()
        if _language(locale) != ENGLISH
        and not {f"locale/{_language(locale)}.po", f"locale/{locale}.po"} & templates.keys()
    ]


def check_catalog(path: Path, text: str) -> None:
    """Raise Rejected with what a catalog has wrong; other files pass."""
    if path.suffix != ".po":
        return
    try:
        for line, fault in _faults(text, path.stem):
            raise rejected(
                f"{path}:{line}", fault, "mend the line, or remove it to have the word in English"
            )
    except PoFileError as error:
        said = f"is not a catalog of words: {str(error).rpartition(' on ')[0].lower()}"
        raise rejected(
            f"{path}:{error.lineno + 1}", said, "mend the line, or check the file with `msgfmt -c`"
        ) from None
    except (LookupError, TypeError, ValueError):
        raise rejected(
            str(path), "is not a catalog of words", "check it with `msgfmt -c`"
        ) from None


def _language(locale: str) -> str:
    return locale.replace("-", "_").partition("_")[0]


@lru_cache(maxsize=64)
def _layered(files: tuple[tuple[str, str], ...]) -> NullTranslations:
    """Put catalogs, each with its locale, over each other, the last on top."""
    words = NullTranslations()
    for locale, text in files:
        upper = _compiled(_read(text, locale))
        upper.add_fallback(words)
        words = upper
    return words


def _read(text: str, locale: str) -> Catalog:
    """Read a catalog as that of a locale, whatever locale and encoding its head names."""
    known = _known(locale)
    entries = read_po(StringIO(text), known, abort_invalid=True)
    entries.locale, entries.charset = known, "utf-8"
    return entries


def _known(locale: str) -> Locale | None:
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


def _compiled(entries: Catalog) -> Translations:
    """Give the translations of a catalog; raises ValueError for a `Plural-Forms` that is none."""
    for entry in list(entries):
        if entry.pluralizable and not all(_texts(entry.string)):
            entries.delete(entry.id, entry.context)  # else each form would be English by its place
    content = BytesIO()
    write_mo(content, entries)
    content.seek(0)
    return Translations(content)


def _faults(text: str, locale: str) -> Iterator[tuple[int, str]]:
    """Give the line of everything that would break a document, and how."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _QUOTING.match(line) and not _QUOTED.fullmatch(line.strip()):
            yield number, "has a text that is not between two quotes"
    entries = _read(text, locale)
    for entry in entries:
        fault = _fault(entry) if entry.id and not entry.fuzzy else None
        if fault:
            yield entry.lineno or 1, f"translates {quoted(_texts(entry.id)[0])} {fault}"
    if not _names_a_form(entries):
        number = text.partition("Plural-Forms")[0].count("\n") + 1
        yield number, f"has Plural-Forms that do not name one of {entries.num_plurals} forms"


def _fault(entry: Message) -> str | None:
    """Say what is wrong with a translation; None where it is fit, or there is none."""
    forms = [form for form in _texts(entry.string) if form]
    if entry.pluralizable and 0 < len(forms) < len(_texts(entry.string)):
        return f"in {len(forms)} of {len(_texts(entry.string))} plural forms"
    places = [set(_PLACE.findall(text)) for text in _texts(entry.id)]
    for form in forms:
        if not set.intersection(*places) <= set(_PLACE.findall(form)) <= set.union(*places):
            return "with other places to fill in than it has"
        if "%" in _PLACE.sub("", form).replace("%%", ""):
            return "with a percent sign that is not written %%"
        if _UNFIT_FOR_MARKUP.search(form):
            return 'with one of < > & " \\ or a character that cannot be seen'
    return None


def _texts(forms: str | Iterable[str] | None) -> tuple[str, ...]:
    return (forms,) if isinstance(forms, str) else tuple(forms or ())


def _names_a_form(entries: Catalog) -> bool:
    """Tell whether `Plural-Forms` gives every number a form that there is."""
    try:
        plural = _compiled(entries).plural
        return all(0 <= plural(number) < entries.num_plurals for number in COUNTED)
    except (ArithmeticError, ValueError):
        return False
