"""docs/templates.md says what templates can use, and says it as the program has it."""

from reportgen.documents.templating.templates import environment
from tests.documents import correspondence, grove
from tests.documents.templating.reference import CONTEXT, context_names, members, reference
from tests.pages import compare


def test_the_page_lists_what_there_is(request):
    compare("templates.md", reference(), request)


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
