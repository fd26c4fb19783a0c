"""Charts of a page as SVG inside the page: no script, no font, no reference; text takes the colour of the page.

Altair describes them and vl-convert draws them, in this process and without a network. A null is a gap in a line, never 0.
No text of strangers may reach a drawing: a control character in a label ends the process (vl-convert 1.9.0).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

import altair as alt

STROKES = {"#3b7dd8": ("solid", [1, 0]), "#d0730f": ("dashed", [7, 3]), "#2f9e6e": ("dotted", [2, 2])}
"""Colours of at least 3 : 1 against the light and the dark background; the dashes tell them apart on grey paper."""
_INK, _PAPER = "#7a7b7c", "#fdfcfb"
"""Replace the colours of the page until the chart is drawn: Altair takes no `currentColor`."""
_AXIS: dict[str, Any] = dict.fromkeys(("labelColor", "titleColor", "gridColor", "domainColor", "tickColor"), _INK) | {
    "gridOpacity": 0.2, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
}  # fmt: skip
_FORMATS = {"money": ",.0f", "percent": ".0%"}
Values = Sequence[Decimal | float | None]


@dataclass(frozen=True)
class Chart:
    """An SVG, empty where there is nothing to draw, and its legend: colour and kind of line of each series."""

    svg: str = ""
    legend: Sequence[tuple[str, str, str]] = ()


def lines(title: str, months: Sequence[str], series: Mapping[str, Values], form: str) -> Chart:
    """Draw one line a series over months; `form` is money or percent. Nothing is drawn of a series with less than two known values."""
    known = {name: values for name, values in series.items() if sum(value is not None for value in values) > 1}
    if not known:
        return Chart()
    numbers = list(range(len(known)))
    legend = [(name, colour, kind) for name, (colour, (kind, _)) in zip(known, STROKES.items(), strict=False)]
    rows = [
        {"month": month, "series": number, "value": None if value is None else float(value)}
        for number, values in enumerate(known.values())
        for month, value in zip(months, values, strict=True)
    ]
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=alt.OverlayMarkDef(size=36), strokeWidth=2)
        .encode(
            x=alt.X("month:O", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=12)),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(format=_FORMATS[form], tickCount=5)),
            color=alt.Color("series:N", legend=None, scale=alt.Scale(domain=numbers, range=list(STROKES))),
            strokeDash=alt.StrokeDash(
                "series:N", legend=None, scale=alt.Scale(domain=numbers, range=[dash for _, dash in STROKES.values()])
            ),
        )
    )
    return Chart(_drawn(chart, title), legend)


def curve(title: str, points: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw which share of the value the best customers bring, from the best on, and the line of all customers being equal."""
    if not points:
        return Chart()
    first, second, _ = STROKES
    rows = [{"customers": float(point["customers"]), "share": float(point["share"])} for point in points]
    axis = alt.Axis(format=".0%", tickCount=5)
    line = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=2, color=first)
        .encode(
            x=alt.X("customers:Q", title="customers, the best first", axis=axis, scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("share:Q", title=None, axis=axis),
        )
    )
    equal = alt.Chart(alt.InlineData(values=[{"at": 0}, {"at": 1}])).mark_line(strokeWidth=1, strokeDash=[4, 4], color=_INK)
    mark = alt.Chart(alt.InlineData(values=[{"at": 0.2}])).mark_rule(strokeWidth=1, color=second).encode(x="at:Q")
    return Chart(_drawn(equal.encode(x="at:Q", y="at:Q") + line + mark, title))


def _drawn(chart: alt.Chart | alt.LayerChart, title: str) -> str:
    """Return the SVG with a name for those who do not see it, in the colours and the width of the page."""
    drawn = io.StringIO()
    (
        chart.properties(width=460, height=250, background=_PAPER, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(aria=False, font="system-ui, sans-serif")
        .configure_view(strokeOpacity=0)
        .configure_axis(**_AXIS)
        .configure_axisX(grid=False)
        .save(drawn, format="svg")
    )
    svg = drawn.getvalue().replace(_INK, "currentColor").replace(_PAPER, "none")
    (size,) = re.findall(r'viewBox="[^"]+"', svg)
    return re.sub(r"^<svg [^>]*>", f'<svg {size} role="img" aria-label="{escape(title)}">', svg, count=1)
