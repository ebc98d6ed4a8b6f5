"""What products are called: no two by one name."""

from collections.abc import Iterator, Mapping

from reportgen.core.problem import Problem
from reportgen.core.text import quoted
from reportgen.sources.config.schema import ProductSection
from reportgen.sources.config.yamldoc import YamlDocument


def labelled_twice(
    products: Mapping[str, ProductSection], document: YamlDocument
) -> Iterator[Problem]:
    """Report a label that is that of another product, or the name of one that has none."""
    first = {product.casefold(): product for product, one in products.items() if not one.label}
    for product, section in products.items():
        if not section.label:
            continue
        other = first.setdefault(section.label.casefold(), product)
        if other != product:
            yield Problem(
                source=document.line("products", product, "label"),
                message=f"{quoted(section.label)} is what {quoted(other)} is called already",
                hint="give each product a label of its own",
            )
