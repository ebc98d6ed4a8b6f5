"""docs/templates.md says what templates can use, and says it as the program has it."""

from difflib import unified_diff
from pathlib import Path

from reportgen.documents.templating.templates import environment
from tests.documents import correspondence, grove
from tests.documents.templating.reference import CONTEXT, context_names, members, reference

PAGE = Path(__file__).parents[3] / "docs" / "templates.md"


def test_the_page_lists_what_there_is(request):
    found = reference()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(found, encoding="utf-8")
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    changed = "\n".join(
        unified_diff(written.splitlines(), found.splitlines(), "written", "found", lineterm="")
    )
    assert not changed, f"{changed}\n\npytest {Path(__file__).name} --update-golden writes it anew"


def test_every_name_can_be_used_in_a_template():
    surrounding = environment({}, "en")
    for task in [*grove.tasks(), *correspondence.tasks()]:
        for name, _, _ in members(type(task.document)):
            template = surrounding.from_string(
                f"{{{{ document.{name.partition('(')[0]} is defined }}}}"
            )
            assert template.render(document=task.document) == "True", name


def test_no_words_are_left_of_a_variable_that_is_gone():
    assert CONTEXT.keys() <= set(context_names())
