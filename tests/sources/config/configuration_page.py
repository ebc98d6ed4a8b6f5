"""docs/configuration.md: every key of the three files, with its default from the schema.

Keys, forms and defaults are read from the schema that editors use; the example and the meaning of
each stand here, and a test holds each example against the schema of its key.
"""

from collections.abc import Iterator
from typing import Any

from reportgen.sources.config.json_schema import ROOTS, FileName, json_schema

INTRODUCTION = """\
# Configuration

Every key of the three files, in the order in which they are read. `*` stands for a key of your
own, `[]` for each entry of a list. A key without a default may be left out, unless it is *required*
within its section. Paths are relative to the file that names them. Keys and passwords are never
written here: the keys that end in `_env` name variables of the environment.

`reportgen init DIR` writes the three files with comments, `reportgen check` names every mistake
with file and line, and `reportgen schema` writes what an editor checks them by. This page is made
from it by `pytest tests/sources/config/test_configuration_page.py --update-golden`.
"""

EXAMPLES: dict[str, dict[str, tuple[str, str]]] = {
    "configuration": {
        "enterprise": ("Acme Corporation", "the name that heads every document"),
        "source": ("{api: v3}", "where consumption is read from"),
        "source.api": (
            "v2",
            "`v3` (service user, `cog_…`) or `v2` (enterprise admin, `apk_user_…`)",
        ),
        "source.base_url": ("https://devin.acme.example", "where the API lies"),
        "source.token_env": ("DEVIN_API_TOKEN", "the variable that holds the key"),
        "source.organizations": (
            "[{id: org-1, token_env: ORG_1_TOKEN}]",
            "organizations with a key of their own, instead of one for the enterprise",
        ),
        "source.organizations[].id": ("org-0123456789ab", "the organization"),
        "source.organizations[].token_env": ("WEB_TOKEN", "the variable that holds its key"),
        "source.prefix": ("/v3beta1", "the path prefix, where a deployment has another"),
        "source.cycle_day": (
            "5",
            "day of the month on which cycles begin, for keys that may not read them",
        ),
        "source.replay": ("responses.jsonl", "recorded answers instead of the network"),
        "source.allow_plain": ("true", "send the key over http, not https"),
        "source.max_answer_mib": ("128", "largest answer that is taken, in MiB"),
        "source.max_evidence_mib": ("8192", "largest evidence of a cycle that is read, in MiB"),
        "mapping": ("mapping.yaml", "the file that says who pays for whom"),
        "rates": ("rates.yaml", "the file that says what an ACU costs"),
        "archive": ("archive", "the folder that cycles are kept in"),
        "archive_mode": ("group", "who may read the archive: its `owner`, or the `group` as well"),
        "fiscal_year": ("4", "first month of the fiscal year"),
        "templates": ("templates", "a folder whose templates win over the built-in ones"),
        "tolerance": ("0.0001", "ACUs by which views of the API may differ by rounding"),
        "invoice": ("{locale: de}", "how documents look, and what they tell"),
        "invoice.number": (
            '"{{ cycle.start }}/{{ cost_center.code }}"',
            "the pattern of invoice numbers",
        ),
        "invoice.locale": ("de", "language and forms of numbers; a cost center may have its own"),
        "invoice.users": ("pseudonyms", "people by `names`, by `pseudonyms`, or `none` at all"),
        "invoice.detail": ("sums", "the printed detail by `days`, or `sums` alone"),
        "invoice.max_detail_rows": ("500", "rows of printed detail; workbooks have all of it"),
        "invoice.tie_out": ("full", "`full` tells every invoice the vendor's total as well"),
        "invoice.accent": ('"#7a1f4e"', "the colour of headings and lines"),
        "invoice.logo": ("logo.svg", "SVG or PNG"),
        "invoice.fonts": ("fonts", "a folder of fonts of your own"),
        "invoice.note": ("Questions within 10 days, please.", "a text at the foot of documents"),
        "invoice.contact": ("chargeback@acme.example", "whom questions go to"),
        "invoice.summaries": ("[department, entity]", "a PDF for each department or entity"),
        "products": (
            "{review: {label: Code review}}",
            "what products are called, by their names in the API",
        ),
        "products.*.label": ("Code review", "its name in documents"),
        "products.*.meaning": ("automatic reviews of pull requests", "what it is, in the footer"),
        "close": ("{settle_days: 3}", "what a close asks for"),
        "close.settle_days": ("5", "days after the end of a cycle before it may be closed"),
        "close.approval": ("required", "`required`: somebody else than who prepared it is named"),
        "close.unallocated_limit": ("1%", "part of all ACUs that may be without a rule"),
        "close.exports": ("[csv, journal]", "exports that are made and sealed with the cycle"),
        "corrections": ("{minimum: 5.00}", "what `correct` issues"),
        "corrections.minimum": ("5.00", "the smallest note that is issued"),
        "email": (
            "{host: smtp.acme.example, from: chargeback@acme.example}",
            "how `send` mails; see mail.md",
        ),
        "email.host": ("smtp.acme.example", "the mail server"),
        "email.port": ("465", "its port; by default that of `security`"),
        "email.security": ("tls", "`starttls`, `tls` or `plain`"),
        "email.from": ("chargeback@acme.example", "who sends"),
        "email.reply_to": ("finance@acme.example", "whom answers go to"),
        "email.bcc": ("[archive@acme.example]", "copies that nobody sees"),
        "email.allow_plain": ("true", "send passwords or documents without encryption"),
        "email.per_minute": ("30", "messages a minute, at most"),
        "email.auth": (
            "xoauth2",
            "`password`, `xoauth2` or `none`; by default what the other keys say",
        ),
        "email.username_env": ("SMTP_USER", "the variable that holds the user name"),
        "email.password_env": ("SMTP_PASSWORD", "the variable that holds the password"),
        "email.token_env": ("SMTP_TOKEN", "the variable that holds an access token"),
        "email.token_command": ("[get-token, --mail]", "a command that prints an access token"),
        "email.client_credentials": (
            "{token_url: https://a.example/t, client_id: a, client_secret_env: SECRET, scope: b}",
            "an OAuth 2 client that gets access tokens",
        ),
        "email.client_credentials.token_url": (
            "https://login.example/token",
            "where tokens are asked for",
        ),
        "email.client_credentials.client_id": ("chargeback", "the client"),
        "email.client_credentials.client_secret_env": (
            "MAIL_SECRET",
            "the variable that holds its secret",
        ),
        "email.client_credentials.scope": (
            "https://outlook.office365.com/.default",
            "what is asked for",
        ),
        "focus": ('{version: "1.4"}', "how `export --format focus` writes; see exports.md"),
        "focus.version": ('"1.4"', "the version of the specification"),
        "journal": (
            '{credit_account: "2999"}',
            "how `export --format journal` books; see exports.md",
        ),
        "journal.credit_account": ('"2999"', "the account that is credited"),
        "journal.credit_cost_center": ("CC-9999", "the cost center of the credit"),
        "journal.entity": ('"1000"', "the legal entity of cost centers without one"),
        "journal.layout": ("sap", "a built-in layout or a template of your own"),
        "journal.split_periods": ("true", "an entry for each calendar month"),
        "journal.closed_through": ("2025-11-30", "the last day of the ledger that is closed"),
        "journal.segments": ("[entity, cost_center, account]", "what an account string is made of"),
        "journal.segment_separator": ('"-"', "what stands between its parts"),
        "journal.ledger": ("US Primary", "the name of the ledger"),
        "journal.source": ("Chargeback", "the source of entries"),
        "journal.category": ("ACU", "the category of entries"),
    },
    "mapping": {
        "cost_centers": ("{CC-1001: {name: Platform}}", "who can be charged, by code"),
        "cost_centers.*.name": ("Platform Engineering", "its name in documents"),
        "cost_centers.*.department": ("Engineering", "its department"),
        "cost_centers.*.entity": ('"1000"', "its legal entity"),
        "cost_centers.*.contacts": ("[platform@acme.example]", "who gets its documents"),
        "cost_centers.*.gl_account": ('"6420"', "the account that its charges are booked to"),
        "cost_centers.*.cycle_budget": ("12000.00", "its budget of a billing cycle"),
        "cost_centers.*.year_budget": ("140000.00", "its budget of a fiscal year"),
        "cost_centers.*.fields": ('{PO: "4500012345"}', "what else heads its documents"),
        "cost_centers.*.locale": ("ja", "the language of its documents"),
        "cost_centers.*.closed": ("2026-12-31", "the last billing day that it can be charged for"),
        "cost_center_file": (
            "{path: centers.csv}",
            "a table of cost centers: the keys below name its columns",
        ),
        "cost_center_file.path": ("centers.xlsx", "the table, CSV or `.xlsx`"),
        "cost_center_file.code": ("Number", "column of the code"),
        "cost_center_file.name": ("Description", "column of the name"),
        "cost_center_file.department": ("Dept", "column of the department"),
        "cost_center_file.entity": ("Company code", "column of the legal entity"),
        "cost_center_file.contacts": ("Owner", "column of the contacts"),
        "cost_center_file.gl_account": ("Account", "column of the G/L account"),
        "cost_center_file.cycle_budget": ("Budget", "column of the budget of a cycle"),
        "cost_center_file.year_budget": ("Annual budget", "column of the budget of a fiscal year"),
        "cost_center_file.locale": ("Language", "column of the language"),
        "cost_center_file.closed": ("Valid to", "column of the last day"),
        "cost_center_file.fields": (
            "[PO, Approver]",
            "columns that head documents; else all others",
        ),
        "cost_center_file.sheet": ("Centers", "the sheet of a workbook"),
        "cost_center_file.date_format": ("DD.MM.YYYY", "how days are written"),
        "users": ("{ada@acme.example: CC-1001}", "rules by user id, e-mail, or a pattern with `*`"),
        "user_file": (
            "{path: hr.csv, user: email, cost_center: cc}",
            "a table of people: the keys name its columns",
        ),
        "user_file.path": ("people.xlsx", "the table, CSV or `.xlsx`"),
        "user_file.user": ("email", "column of the user id or e-mail"),
        "user_file.cost_center": ("cost_center", "column of the code"),
        "user_file.from": ("valid_from", "column of the first billing day"),
        "user_file.until": ("valid_to", "column of the last billing day"),
        "user_file.share": ("percent", "column of the share"),
        "user_file.name": ("full_name", "column of the name"),
        "user_file.sheet": ("People", "the sheet of a workbook"),
        "user_file.date_format": ("DD.MM.YYYY", "how days are written"),
        "service_users": ("{service-user-ci: CC-9000}", "rules by id of a service user"),
        "sessions": ("{devin-0a1b: CC-1002}", "rules by id of a session"),
        "tags": (
            '{"project:apollo": CC-1002}',
            "rules by tag of a session, where `precedence` names `tag`",
        ),
        "orgs": ("{org-abc123: CC-1001}", "rules by id of an organization"),
        "pools": ("{CC-9000: proportional}", "cost centers whose charges the others share"),
        "unallocated": ("CC-9999", "who bears what no rule covers"),
        "precedence": ("[session, tag, user, org]", "which rules are tried first"),
    },
    "rates": {
        "currency": ("EUR", "ISO 4217"),
        "currency_decimals": ("2", "decimals of the currency, where not ISO 4217's"),
        "contract": ("Order form 2025-07", "what prices come from, in the footer"),
        "prices": (
            '{devin: 2.00, "*": 2.25}',
            "price per ACU by product; `*` is any other. Or `tiers`, or `recover`",
        ),
        "tiers": (
            "[{up_to: 10000, price: 2.00}, {price: 2.25}]",
            "graduated prices over the volume of the cycle",
        ),
        "tiers[].up_to": ("10000", "ACUs that the tier ends at; the last has no end"),
        "tiers[].price": ("2.00", "price per ACU of the tier"),
        "recover": ("{weights: {cascade: 0.8}}", "spread the vendor's invoice over the ACUs"),
        "recover.weights": ("{devin: 1, cascade: 0.8}", "what an ACU of a product weighs; else 1"),
        "fees": ("[{name: Platform team, amount: 500.00, to: each}]", "what is charged on top"),
        "fees[].name": ("Support", "its name on invoices"),
        "fees[].amount": ("500.00", "the amount for each; or `percent`"),
        "fees[].percent": ("2.5%", "part of the usage amounts"),
        "fees[].to": (
            "each",
            "`each` with usage, or a list of codes",
        ),
        "transfers": (
            "[{cycle: 2025-12-05, from: CC-1001, to: CC-1002, amount: 150.00, reason: Swap}]",
            "amounts that one cost center takes over from another",
        ),
        "transfers[].cycle": ("2025-12-05", "first day of the billing cycle"),
        "transfers[].from": ("CC-1001", "who is relieved"),
        "transfers[].to": ("CC-1002", "who takes over"),
        "transfers[].amount": ("150.00", "how much"),
        "transfers[].reason": ("Ticket 4711", "why, on both invoices"),
        "memo_currency": (
            "{CC-1002: {currency: JPY, 2025-12-05: 155.20}}",
            "another currency under the total, with dated rates",
        ),
        "memo_currency.*.currency": ("JPY", "ISO 4217"),
        "vendor_invoices": (
            "{2025-12-05: {number: INV-42, amount: 41250.00}}",
            "the vendor's invoices by first day of the billing cycle, net of tax",
        ),
        "vendor_invoices.*.number": ("INV-42", "its number"),
        "vendor_invoices.*.amount": ("41250.00", "its amount"),
        "vendor_invoices.*.acus": ("20625", "its ACUs, with the decimals written on it"),
        "vendor_invoices.*.document": ("inv-42.pdf", "the file, kept with the cycle"),
    },
}


def keys(schema: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Give every key with its schema, and whether its section needs it."""
    for name, value in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield path, value, name in schema.get("required", ())
        yield from keys(value, path)
    for one in (schema, *_alternatives(schema)):
        if one is not schema:
            yield from keys({**one, "properties": {}}, at)
        if isinstance(one.get("additionalProperties"), dict):
            yield from keys(one["additionalProperties"], f"{at}.*")
        if isinstance(one.get("items"), dict):
            yield from keys(one["items"], f"{at}[]")


def _alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (one for word in ("anyOf", "oneOf") for one in schema.get(word, ()))


def page() -> str:
    """Write the whole page."""
    return "\n".join([INTRODUCTION, *(_file(name) for name in ROOTS)])


def _file(name: FileName) -> str:
    head = ["| key | default | example | meaning |", "| --- | --- | --- | --- |"]
    rows = [_row(name, *found) for found in keys(json_schema(name))]
    return "\n".join([f"## {ROOTS[name][1]}", "", *head, *rows, ""])


def _row(name: str, path: str, schema: dict[str, Any], needed: bool) -> str:
    example, meaning = EXAMPLES[name][path]
    default = "*required*" if needed else _default(schema.get("default"))
    shown = f"`{path.rpartition('.')[2]}: {example}`".replace("[]:", ":").replace("*: ", "")
    return (
        "| "
        + " | ".join(text.replace("|", "\\|") for text in (f"`{path}`", default, shown, meaning))
        + " |"
    )


def _default(value: object) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`[{', '.join(map(str, value))}]`" if isinstance(value, list) else f"`{value}`"
