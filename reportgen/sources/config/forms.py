"""What a single value of the configuration looks like to an editor: JSON Schema, by its reader.

An editor types what stands without quotes, `0100` and `2.10` among it, where we read the text. So a
text may be a number to it, and a number a text; `pattern` holds for the one, `minimum` for the
other. What only code can see (sums, order, calendar, other files) is not said here.
"""

from collections.abc import Mapping
from typing import Any

Form = Mapping[str, Any]

_SCALAR = ["string", "number", "boolean"]
_NUMBER = ["number", "string"]
_DIGITS = "[0-9]{1,40}(\\.[0-9]{1,40})?"
_SOME = "(?=[^%]*[1-9])"
"""Not zero."""
_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_YEAR = "(199[0-9]|2[01][0-9]{2})"
_DATE_LIKE = (
    f"^({_YEAR}-[0-9]{{1,2}}-[0-9]{{1,2}}|{_YEAR}/[0-9]{{1,2}}/[0-9]{{1,2}}"
    f"|[0-9]{{1,2}}/[0-9]{{1,2}}/{_YEAR})$"
)
_UNSEEN = "\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_PORT = "[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_ADDRESS = f"https?://(\\[[0-9A-Fa-f:.]+\\]|[^\\s/?#@:]+)(:({_PORT})?)?(/[^\\s?#@]*)?"
_ORDER = "(?=.*[Yy]{4})(?=.*[Mm])(?=.*[Dd])[YyMmDd./ -]+"
LARGEST = 10**12

TEXT: Form = {"type": _SCALAR, "pattern": "\\S", "maxLength": 1000}
KEY: Form = {"type": _SCALAR, "pattern": "^(?!\\.+$)\\S(.*\\S)?$", "maxLength": 1000}
ACCOUNT: Form = {**TEXT, "pattern": "^\\s*[^\\s=+@'-]"}
"""No formula of a spreadsheet."""
DAY: Form = {"type": "string", "format": "date", "pattern": f"^{_DAY}$"}
_CODE: Form = {
    "type": _SCALAR,
    "maxLength": 64,
    "pattern": f"^(?!.*[{_UNSEEN}])\\S(.*\\S)?$",
}
_A_DATE: Form = {"type": "string", "pattern": _DATE_LIKE}
CODE: Form = {**_CODE, "not": {"anyOf": [_A_DATE, {"const": "none"}]}}
PERCENTAGE: Form = {"type": "string", "pattern": f"^{_DIGITS} *%$"}
WEIGHT: Form = {
    "type": ["integer", "string"],
    "minimum": 1,
    "maximum": 999_999_999,
    "pattern": f"^{_SOME}[0-9]{{1,9}}$",
}
SHARE: Form = {"anyOf": [PERCENTAGE, WEIGHT]}
"""Of one kind with all that stand beside it."""


def _number(pattern: str, **bounds: int) -> Form:
    # A number just below the largest is the largest to an editor.
    bounds = {"minimum": -LARGEST, "maximum": LARGEST} | bounds
    return {"type": _NUMBER, "pattern": f"^{pattern}$", **bounds}


def _whole(least: int, most: int, pattern: str) -> Form:
    return {
        "type": ["integer", "string"],
        "minimum": least,
        "maximum": most,
        "pattern": f"^({pattern})$",
    }


def _text(pattern: str, *more: str) -> Form:
    return {"type": ["string", *more] if more else "string", "pattern": pattern}


FORMS: Mapping[str, Form] = {
    "line_of_text": TEXT,
    "label": {**KEY, "maxLength": 40},
    "exact_key": KEY,
    "tag_pattern": {**KEY, "not": {"type": "string", "pattern": ", "}},
    "user_key": {**TEXT, "pattern": "^(?!\\s*\\.+\\s*$).*\\S"},
    "date_form": _text(f"^{_ORDER}$"),
    "code": CODE,
    "code_or_none": {**_CODE, "not": _A_DATE},
    "number": _number(f"-?{_DIGITS}"),
    "not_negative": _number(_DIGITS, minimum=0),
    "positive": _number(f"{_SOME}{_DIGITS}", exclusiveMinimum=0),
    "charge": {**_number(f"-?{_SOME}{_DIGITS}"), "not": {"const": 0}},
    "charged_part": _text(f"^-?{_SOME}{_DIGITS} *%$"),
    "part": _text("^(0*100(\\.0+)?|0*[0-9]{1,2}(\\.[0-9]{1,40})?) *%$"),
    "row_count": _whole(0, 999_999, "[0-9]{1,6}"),
    "session_count": _whole(0, 100, "[0-9]{1,2}|100"),
    "day_count": _whole(0, 999, "[0-9]{1,3}"),
    "mebibytes": _whole(1, 999_999, "[1-9][0-9]{0,5}"),
    "port": _whole(1, 65_535, "[1-9][0-9]{0,4}"),
    "per_minute": _whole(1, 99_999, "[1-9][0-9]{0,4}"),
    "decimal_count": _whole(0, 6, "[0-6]"),
    "contract_day": _whole(1, 31, "[1-9]|[12][0-9]|3[01]"),
    "calendar_month": _whole(1, 12, "[1-9]|1[0-2]"),
    "flag": {"enum": [True, False, "true", "false"]},
    "day": DAY,
    "basis": {"enum": ["proportional", "even"]},
    "each": {"const": "each"},
    "web_address": _text(f"^{_ADDRESS}$"),
    "variable": {
        **_text("^[A-Za-z_][A-Za-z0-9_]*$", "boolean"),
        "not": {"type": "string", "pattern": "^(cog_|apk_)"},
    },
    "hidden": _text("^[A-Za-z_][A-Za-z0-9_]*$", "boolean"),
    "path_prefix": _text("^(/[A-Za-z0-9._-]+)+$"),
    "host": _text("^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+)$", "number", "boolean"),
    "contact": _text('^[^@\\s,;<>"]+@[^@\\s,;<>"]+$'),
    "color": _text("^#[0-9A-Fa-f]{6}$"),
    "account": ACCOUNT,
    "segment": ACCOUNT,
    "layout": {"type": _SCALAR, "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$"},
    "locale_code": _text("^[A-Za-z]{2,3}([_-][A-Za-z0-9]+)*$"),
}
"""By the name of the function that reads the text, without the underscore that keeps it private."""
