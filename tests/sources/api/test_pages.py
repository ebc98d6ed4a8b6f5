"""A list that is followed page by page, while what it lists goes on changing."""

from reportgen.sources.api.bodies import Member, Members
from reportgen.sources.api.pages import Pages
from reportgen.sources.api.plan import Request


def list_of(*pages: Members) -> tuple[Pages, list[str]]:
    followed = Pages(request=Request(endpoint="/v3/users", shape=Members))
    return followed, [followed.add(page) for page in pages]


def page(*listed: tuple[str, str], total: int) -> Members:
    return Members(items=[Member(user_id=one, name=name) for one, name in listed], total=total)


def test_an_entry_that_changes_while_the_list_is_followed_is_one():
    followed, wrong = list_of(
        page(("u1", "Ada"), ("u2", "Bo"), total=3), page(("u1", "Ada Brennan"), ("u3", ""), total=3)
    )
    assert wrong == ["", ""]
    assert [one.user_id for one in followed.items] == ["u1", "u2", "u1", "u3"]
    assert followed.broken_off() is None


def test_a_list_that_grows_meanwhile_says_so_by_its_total():
    _, wrong = list_of(page(("u1", ""), total=1), page(("u2", ""), total=2))
    assert wrong == ["", ""]


def test_more_entries_than_the_total_are_a_list_that_cannot_be_true():
    _, wrong = list_of(page(("u1", ""), ("u2", ""), total=1))
    assert wrong == ["the list holds 2 entries, but its total is 1"]
