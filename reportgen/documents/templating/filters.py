"""The only formatter: numbers, days and labels in the words and digits of a locale.

Values are rounded for print here and nowhere else; what is printed is never read back.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, localcontext
from hashlib import sha256

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_decimal, format_percent

from reportgen.core.cycle import BillingCycle
from reportgen.core.money import ROUNDING, ZERO, decimals_of, plain, printed, ratio
from reportgen.documents.content.subtotals import first_day
from reportgen.documents.templating.widths import fitted, left, right, row_height, wrapped

ACU_DECIMALS = 4
EFFECTIVE_DECIMALS = 4
LONGEST_RATE = 10
LONGEST_NAME = 120
WITHOUT_SPACES = {"ja", "zh"}
"""Languages in which a line breaks between any two letters; a day in figures stays whole."""
NO_BREAK = "\N{NO-BREAK SPACE}"


class Format:
    """How one document writes things; its methods are the filters of the templates."""

    def __init__(self, locale: str, currency: str, decimals: int) -> None:
        """Take the locale of the document, and the currency with its decimals."""
        self.locale = Locale.parse(locale.replace("-", "_"))
        self.currency, self.decimals = currency, decimals

    def filters(self) -> dict[str, Callable[..., str]]:
        """Give the filters by the name that templates use."""
        return {
            "money": self.money,
            "acus": self.acus,
            "acus_short": self.acus_short,
            "price": self.price,
            "effective": self.effective,
            "fixed": self.fixed,
            "rate": self.rate,
            "signed": signed,
            "share": self.share,
            "percent": self.percent,
            "used": self.used,
            "month": self.month,
            "day": self.day,
            "day_short": self.day_short,
            "by_day": self.by_day,
            "short": short,
            "wide": wide,
            "period": self.period,
            "plain": plain,
            "number_format": number_format,
            "price_format": self.price_format,
            "signed_format": signed_format,
            "left": left,
            "right": right,
            "wrapped": wrapped,
            "fitted": fitted,
            "row_height": row_height,
            "script_hash": script_hash,
        }

    def money(self, amount: Decimal) -> str:
        """Write an amount with the currency's decimals: 1,234.50."""
        return self._decimal(amount, self.decimals, self.decimals)

    def acus(self, quantity: Decimal, decimals: int = ACU_DECIMALS) -> str:
        """Write ACUs with a fixed number of decimals, so that columns align."""
        return self._decimal(quantity, decimals, decimals)

    def acus_short(self, quantity: Decimal) -> str:
        """Write ACUs with no more decimals than they have, for the axis of a chart."""
        return self._decimal(quantity, 0, ACU_DECIMALS)

    def price(self, unit_price: Decimal, least: int = 0) -> str:
        """Write a unit price with at least the currency's decimals, or `least`, and at most 10."""
        return self._decimal(unit_price, max(self.decimals, least), LONGEST_RATE)

    def price_format(self, least: int) -> str:
        """Give Excel's code for unit prices as `price` writes them, with `least` decimals."""
        return number_format(min(max(self.decimals, least), LONGEST_RATE))

    def effective(self, unit_price: Decimal) -> str:
        """Write what an ACU comes to where no price was set: always with the same few decimals."""
        return self._decimal(unit_price, EFFECTIVE_DECIMALS, EFFECTIVE_DECIMALS)

    def fixed(self, amount: Decimal, decimals: int) -> str:
        """Write an amount in another currency, with its decimals."""
        return self._decimal(amount, decimals, decimals)

    def rate(self, rate: Decimal) -> str:
        """Write a rate of exchange with the decimals that it was given with."""
        return self._decimal(rate, min(decimals_of(rate), LONGEST_RATE), LONGEST_RATE)

    def share(self, part: Decimal, whole: Decimal) -> str:
        """Write how much of the whole a part is: 12.3 %, or a dash where there is no whole."""
        fraction = ratio(part, whole, 4)
        return "–" if fraction is None else self.used(fraction)

    def used(self, fraction: Decimal) -> str:
        """Write a fraction of 1 in percent with two decimals, so that columns align."""
        return str(format_percent(fraction, format="#,##0.00%", locale=self.locale))

    def percent(self, fraction: Decimal) -> str:
        """Write a fraction of 1 in percent, with no more decimals than it has: 2.5%."""
        with localcontext(ROUNDING):
            return str(format_percent(printed(fraction), format="0.########%", locale=self.locale))

    def month(self, month: str) -> str:
        """Write a calendar month in full: December 2025."""
        return str(format_skeleton("yMMMM", first_day(month), locale=self.locale))

    def day(self, day: date) -> str:
        """Write a billing day with its year, in the one form that a page has: Dec 5, 2025."""
        return str(format_skeleton("yMMMd", day, locale=self.locale))

    def day_short(self, day: date) -> str:
        """Write day and month in that form, for the axis of a chart."""
        return str(format_skeleton("MMMd", day, locale=self.locale))

    def by_day(self, days: Iterable[tuple[date, Decimal]]) -> str:
        """Write the ACUs of some days, to be broken between days only: Dec 5: 1.5 · Dec 6: 2.25."""
        skeleton = "Md" if self.locale.language in WITHOUT_SPACES else "MMMd"
        written = (
            f"{format_skeleton(skeleton, day, locale=self.locale)}: {self.acus_short(acus)}"
            for day, acus in days
        )
        return " · ".join(text.replace(" ", NO_BREAK) for text in written)

    def period(self, cycle: BillingCycle) -> str:
        """Write a cycle by its first and last billing day."""
        return f"{self.day(cycle.start)} – {self.day(cycle.previous_day())}"

    def _decimal(self, value: Decimal, least: int, most: int) -> str:
        rounded = printed(value, most) or ZERO  # never a negative zero
        with localcontext(
            ROUNDING
        ):  # Babel quantizes in the current context, whose 28 digits are not enough
            return str(
                format_decimal(rounded, format=number_format(least, most), locale=self.locale)
            )


def short(text: str) -> str:
    """Cut a name that would fill pages; attachments and workbooks have it whole.

    >>> len(short("x" * 10_000)), short("Ada")
    (120, 'Ada')
    """
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def script_hash(text: str) -> str:
    """Name a script in the policy of a page, which runs that one and no other.

    >>> script_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def wide(text: str, room: int = 20) -> str:
    """Give the class of a cell whose text has a word that may not fit into so many letters.

    >>> wide("ada@acme.example"), wide("wolfeschlegelsteinhausenbergerdorff@acme.example")
    ('', 'wide')
    """
    return "wide" if any(len(word) > room for word in text.split()) else ""


def signed(text: str) -> str:
    """Put a plus before a written number above zero.

    >>> signed("1.50"), signed("-1.50"), signed("0.00")
    ('+1.50', '-1.50', '0.00')
    """
    above_zero = not text.startswith("-") and any(sign.isdigit() and sign != "0" for sign in text)
    return f"+{text}" if above_zero else text


def number_format(decimals: int, most: int = 0) -> str:
    """Give Excel's code for a number with so many decimals, and up to `most`.

    >>> number_format(2), number_format(2, 4), number_format(0)
    ('#,##0.00', '#,##0.00##', '#,##0')
    """
    return f"#,##0{'.' if max(decimals, most) else ''}{'0' * decimals}{'#' * (most - decimals)}"


def signed_format(decimals: int) -> str:
    """Give Excel's code for a change: with its sign, and zero without one.

    >>> signed_format(2)
    '+#,##0.00;-#,##0.00;0.00'
    """
    above = number_format(decimals)
    return f"+{above};-{above};{above.removeprefix('#,##')}"
