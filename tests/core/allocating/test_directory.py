"""What is known of people and organizations, joined: nobody is forgotten, the newer counts."""

from hypothesis import given
from hypothesis import strategies as st

from reportgen.core.allocating.directory import by_principal, joined, recalled, with_answered
from reportgen.core.model import Directory, Entry, Principal, Session

ADA, ALAN, ROBOT = (
    Principal("user", "ada"),
    Principal("user", "alan"),
    Principal("service_user", "ada"),
)
NOBODY = Directory()

principals = st.sampled_from([ADA, ALAN, ROBOT])
words = st.none() | st.sampled_from(["a", "b", "ü\u202e"])
entries = st.dictionaries(principals, st.tuples(words, words))
organizations = st.dictionaries(
    st.sampled_from(["org-1", "org-2"]), st.sampled_from(["org-1", "org-2", "Payments"])
)
sessions = st.dictionaries(
    st.sampled_from(["devin-1", "devin-2"]),
    st.builds(
        Session, session_id=st.just("devin-1"), org_id=st.just("org-1"), principal=principals
    ),
)


def known(people=None, places=None, begun=None):
    """Give a directory; people are e-mail and name by principal."""
    found = (
        Entry(principal=key, email=email, name=name)
        for key, (email, name) in (people or {}).items()
    )
    return Directory(entries=by_principal(found), organizations=places or {}, sessions=begun or {})


directories = st.builds(known, entries, organizations, sessions)


def anybody(found):
    return {key: (entry.email, entry.name) for key, entry in found.entries.items()}


@given(directories)
def test_a_directory_joined_with_itself_or_with_nobody_is_the_same(one):
    assert joined(one, one) == joined(one, NOBODY) == one
    assert (joined(NOBODY, one).entries, joined(NOBODY, one).organizations) == (
        one.entries,
        one.organizations,
    )


@given(directories, directories, directories)
def test_it_does_not_matter_in_which_order_three_are_put_together(one, two, three):
    assert joined(joined(one, two), three) == joined(one, joined(two, three))


@given(directories, directories)
def test_nobody_is_forgotten_and_everything_is_sorted(one, two):
    found = joined(one, two)
    assert found.entries.keys() == one.entries.keys() | two.entries.keys()
    assert found.organizations.keys() == one.organizations.keys() | two.organizations.keys()
    assert list(found.entries) == sorted(found.entries)
    assert list(found.organizations) == sorted(found.organizations)


@given(directories, directories)
def test_the_first_counts_and_the_second_fills_the_blanks(one, two):
    found = anybody(joined(one, two))
    for key, told in found.items():
        for place in (0, 1):
            said = [anybody(each)[key][place] for each in (one, two) if key in each.entries]
            assert told[place] == next((word for word in said if word), None)


def test_an_email_and_a_name_may_come_from_different_cycles():
    now, before = known({ADA: (None, "Ada King")}), known({ADA: ("ada@acme.example", "Ada Byron")})
    assert anybody(joined(now, before)) == {ADA: ("ada@acme.example", "Ada King")}


def test_an_organization_named_by_its_id_has_no_name():
    unnamed, named = known(places={"org-1": "org-1"}), known(places={"org-1": "Payments"})
    renamed = known(places={"org-1": "Treasury"})
    assert joined(unnamed, named).organizations == {"org-1": "Payments"}
    assert joined(named, unnamed).organizations == {"org-1": "Payments"}
    assert joined(renamed, named).organizations == {"org-1": "Treasury"}
    assert joined(unnamed, NOBODY).organizations == {"org-1": "org-1"}


def test_sessions_are_those_of_the_first():
    begun = {"devin-1": Session(session_id="devin-1", org_id="org-1", principal=ADA)}
    assert joined(known(begun=begun), NOBODY).sessions == begun
    assert joined(NOBODY, known(begun=begun)).sessions == {}


def test_a_user_and_a_service_user_of_one_id_are_two():
    found = joined(known({ADA: ("ada@acme.example", None)}), known({ROBOT: (None, "Nightly")}))
    assert anybody(found) == {ROBOT: (None, "Nightly"), ADA: ("ada@acme.example", None)}


@given(directories, directories)
def test_what_is_recalled_adds_nobody(now, before):
    found = recalled(now, before)
    assert found.entries.keys() == now.entries.keys()
    assert found.organizations.keys() == now.organizations.keys()
    assert found.sessions == now.sessions
    whole = joined(now, before)
    assert found.entries == {key: whole.entries[key] for key in now.entries}
    assert found.organizations == {key: whole.organizations[key] for key in now.organizations}


def test_whose_usage_was_answered_is_somebody():
    found = with_answered(known({ADA: ("ada@acme.example", "Ada")}), [ADA, ALAN], ["org-1"])
    assert anybody(found) == {ADA: ("ada@acme.example", "Ada"), ALAN: (None, None)}
    assert found.organizations == {"org-1": "org-1"}
