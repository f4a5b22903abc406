"""The small tables that a search gives its engine: a plan's codes and clauses, as rows of Python."""

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cohort.search.criteria import RecordLeaf, Records
from cohort.search.plan import Plan
from cohort.search.terms import Source
from cohort.search.verdicts import clause_order


@dataclass(frozen=True)
class Given:
    """A small table that the engine makes from rows of Python, in the order of the columns."""

    name: str
    schema: ibis.Schema
    rows: list[tuple[Any, ...]]

    @property
    def table(self) -> ir.Table:
        """The table as an expression."""
        return ibis.table(self.schema, self.name)

    @property
    def arrow(self) -> pa.Table:
        """The rows as a table of Arrow."""
        arrow = self.schema.to_pyarrow()
        columns = list(zip(*self.rows, strict=True)) or [()] * len(arrow)
        return pa.table([pa.array(column, field.type) for column, field in zip(columns, arrow, strict=True)], arrow)


def given_tables(plan: Plan) -> list[Given]:
    """Returns what the steps of a program read besides records and patients."""
    return [_bearings(plan), _codes(plan), _pairs(plan), _counted(plan), _clauses(plan)]


def _bearings(plan: Plan) -> Given:
    numbers = {code: n for n, code in enumerate(plan.codes)}
    schema = ibis.schema(
        {
            "bearing": "int32",
            "system": "string",
            "code": "string",
            "code_id": "int32",
            "measure": "int16",
            "is_rival": "boolean",
            "is_alone": "boolean",
            "first": "date",
            "last": "date",
            "gp": "boolean",
            "medicines": "boolean",
            "hospital": "boolean",
            "low": "float64",
            "high": "float64",
            "needs_value": "boolean",
        }
    )
    rows = [
        (
            number,
            *each.code,
            numbers[each.code],
            each.measure,
            each.is_rival,
            each.is_alone,
            each.first,
            each.last,
            *(source in each.sources for source in (Source.GP, Source.MEDICINES, Source.HOSPITAL)),
            each.value.at_least if each.value else None,
            each.value.under if each.value else None,
            each.needs_value or each.value is not None,
        )
        for number, each in enumerate(plan.bearings)
    ]
    return Given("bearings", schema, rows)


def _codes(plan: Plan) -> Given:
    schema = ibis.schema({"code_id": "int32", "system": "string", "code": "string"})
    return Given("codes", schema, [(n, *code) for n, code in enumerate(plan.codes)])


def _pairs(plan: Plan) -> Given:
    numbers = {code: n for n, code in enumerate(plan.codes)}
    schema = ibis.schema({"measure": "int16", "is_rival": "boolean", "code_id": "int32", "second_id": "int32"})
    rows = [
        (measure, is_rival, numbers[system, code], numbers[system, second])
        for measure, is_rival, system, code, second in plan.pairs
    ]
    return Given("pairs", schema, rows)


def _counted(plan: Plan) -> Given:
    schema = ibis.schema({"measure": "int16", "at_least": "int64", "gap": "int64"})
    rows = [
        (n, leaf.at_least.value, leaf.course_gap.value if leaf.course_gap else 0)
        for n, leaf in enumerate(plan.measures)
        if isinstance(leaf, Records)
    ]
    return Given("counted", schema, rows)


def _clauses(plan: Plan) -> Given:
    """What each clause of the high tier is called: several criteria may call one measure differently."""
    schema = ibis.schema(
        {
            "number": "int64",
            "measure": "int64",
            "criterion": "string",
            "place": "int16",
            "clause": "string",
            "code_list": "string",
        }
    )
    rows = [
        (
            number,
            plan.number_of(leaf, plan.asked[number]),
            plan.criteria[number].slug,
            place,
            leaf.label,
            leaf.code_list if isinstance(leaf, RecordLeaf) else "",
        )
        for number in plan.high()
        for place, leaf in enumerate(clause_order(plan.criteria[number].rule))
    ]
    return Given("clauses", schema, rows)
