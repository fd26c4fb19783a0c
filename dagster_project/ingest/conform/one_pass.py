"""The one-pass SELECT over a file in which no record is wrong: strict casts, and one test that stops at the first record that is.

Holds what makes it cheap. It must not say what is right: the rules are those of `casting`, and a file that this SELECT refuses is read
record by record.
"""

from __future__ import annotations

from dagster_project.ingest.conform.casting import Casting
from dagster_project.ingest.pii.ids import BETWEEN, SUSPECT_AMONG
from dagster_project.ingest.sql_text import has_compatibility_form, identifier, identifier_form, literal

_LOOK = "ids_need_a_look"
_ODD = rf"[^ -~{BETWEEN}]|(?:^|{BETWEEN}) | (?:{BETWEEN}|$)|E\+[0-9]|{SUSPECT_AMONG}"
"""Found in ids of which one is not plain: outside ASCII, with outer blanks, rounded by a spreadsheet, or like an address or a number."""


def one_pass_sql(plan: Casting, relation: str, *, is_numbered: bool) -> str:
    """Return the SELECT; it stops with the error text `reject` or that of a failed cast.

    One look at all ids of a record says whether any of them needs a test of its own: a third of the price of a test of each (decision 18).
    """
    if plan.reformed:
        ids = ", ".join(f"{identifier(name)}::varchar" for name in plan.reformed)
        look = f"regexp_matches(concat_ws({literal(BETWEEN)}, {ids}), {literal(_ODD)})"
        relation = f"(select *, {look} as {_LOOK} from {relation})"
    inner = [_strict(plan, typed) for typed in plan.inner] + [_LOOK] * bool(plan.reformed)
    of_an_id = {(name, "identifier_format") for name in plan.reformed}
    rules = [_when_odd(rule.quick_test) if (rule.column, rule.rule) in of_an_id else rule.quick_test for rule in plan.rules]
    ids_of = [*plan.reformed.values(), *(_when_odd(has_compatibility_form(name)) for name in plan.reformed)]
    tests = [*filter(None, rules), *plan.unknown.values(), *ids_of]
    stop = f"case when {' or '.join(f'({test})' for test in tests)} then error('reject') else {plan.row_hash()} end"
    typed = plan.inner_sql(relation, is_numbered, inner)
    return f"select {plan.outer(is_numbered)}, {stop if tests else plan.row_hash()} as row_hash from ({typed})"


def _strict(plan: Casting, typed: str) -> str:
    """Return an inner expression whose casts raise; identifiers stay as they are, for those of another form are refused."""
    for name, test in plan.reformed.items():
        text = f"{identifier(name)}::varchar"
        typed = typed.replace(identifier_form(text), text)
        stored = f"stored_id({text}::varchar)"
        if typed == f"{stored} as {name}":
            return f"case when {_LOOK} then {stored} else {text} end as {name}"
        if typed.endswith(f" as {test}"):
            return f"{_when_odd(typed.removesuffix(f' as {test}'))} as {test}"
    return typed.replace("try_cast(", "cast(").replace("try_strptime(", "strptime(")


def _when_odd(test: str) -> str:
    """Return a test that is evaluated only where a look at the ids says so; `case` keeps the engine to it, `and` would not."""
    return f"case when {_LOOK} then {test} else false end"
