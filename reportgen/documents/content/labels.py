"""What codes in the lists of workbooks are called: words that the catalogs translate.

Law: the words of one table differ in every language, so that a list can be filtered, and added up,
by them.
"""

from collections.abc import Callable, Mapping

Word = Callable[[str], str]
"""The catalog of a document: a word in English -> in its language."""

HOLDERS: Mapping[str, str] = {
    "user": "User",
    "service_user": "Service user",
    "organization": "Organization",
    "nobody": "Unknown",
}
KINDS: Mapping[str, str] = {
    "usage": "Usage",
    "unallocated": "Unallocated",
    "fee": "Fee",
    "transfer": "Transfer",
    "pool": "Pool",
}
BASES: Mapping[str, str] = {
    "proportional": "in proportion to usage charges",
    "even": "in equal parts",
    "shares": "by fixed shares",
}
PULL_REQUEST_STATES: Mapping[str, str] = {
    "merged": "merged",
    "open": "open",
    "closed": "closed",
}
NO_HOLDER = "No known user or organization"
NO_DEPARTMENT, NO_ENTITY = "No department", "No entity"
NO_TAG = "No such tag, and usage of no session"
NO_RULE, NOBODY = "no rule", "nobody"
ONE_PERSON = "1 person"
NO_DAY = "Fees, transfers and shared costs"
"""What the calendar months of usage leave over."""
