"""The chart of a sheet: the columns of its slot stacked, as openpyxl's objects.

It points at the cells and holds no figure of its own, so that it says what they say, filtered rows
left out. Below zero nothing is drawn. On a landscape page it stands right of the last `<col>`, on a
portrait one below the last row.
"""

from collections.abc import Iterable

from openpyxl.chart import BarChart
from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.data_source import AxDataSource, NumDataSource, NumFmt, NumRef, StrRef
from openpyxl.chart.legend import Legend
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Font,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)
from openpyxl.utils import get_column_letter, quote_sheetname

from reportgen.core.text import columns
from reportgen.documents.xlsx.dialect import WorkbookError
from reportgen.documents.xlsx.layout import Placed, Streamed, headers, listed
from reportgen.documents.xlsx.tables import ChartPlan

_WIDTH_CM, _HEIGHT_CM, _LEGEND_ROW_CM = 17, 10.5, 0.5
_NAMES_IN_A_ROW = 6  # of the legend, at most
_LEGEND_LETTERS, _SYMBOL_LETTERS = 96, 4  # of a row, and of what stands before a name
_GAP_PERCENT = 40
_BLACK, _GREY, _AXIS, _GRID = "1C2126", "5F6770", "8D96A0", "DFE3E8"
_TITLE_SIZE, _TEXT_SIZE = 1100, 900  # hundredths of a point
_UPRIGHT = -5_400_000  # 60,000ths of a degree: a month of days is too narrow for labels that lie
# In the order of the days beside it, and without words of a language.
_CATEGORY_FORMAT = "mm-dd"
_VALUE_FORMAT = "[<1000]General;#,##0"


def stacked_columns(placed: Placed, chart: ChartPlan, family: str) -> BarChart:
    """Build the chart of a sheet in a font; raises WorkbookError for a sheet that is no list."""
    series, (categories, *names) = _series(placed), headers(placed)
    if not categories.strip():
        raise WorkbookError(f"the first column of a chart has no header: {placed.sheet.fragment}")
    bars = BarChart(gapWidth=_GAP_PERCENT, overlap=100, grouping="stacked", ser=series)
    bars.title = _title(chart.title, _characters(family, _TITLE_SIZE, _BLACK, bold=True))
    bars.legend = Legend(legendPos="b", overlay=False, txPr=_text(family))
    bars.x_axis, bars.y_axis = _category_axis(categories, family), _value_axis(chart.unit, family)
    bars.graphical_properties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
    bars.roundedCorners = False
    bars.anchor = _anchor(placed)
    bars.width = _WIDTH_CM
    bars.height = _HEIGHT_CM + _LEGEND_ROW_CM * ((len(series) - 1) // _names_in_a_row(names))
    return bars


def _names_in_a_row(names: Iterable[str]) -> int:
    """Tell how many names of the legend stand side by side, each with the room of the longest."""
    longest = max(map(columns, names), default=0)
    return max(1, min(_NAMES_IN_A_ROW, _LEGEND_LETTERS // (longest + _SYMBOL_LETTERS)))


def _anchor(placed: Placed) -> str:
    if placed.sheet.landscape:
        return f"{get_column_letter(len(placed.sheet.columns) + 1)}{listed(placed).first - 1}"
    last = max(part.last if isinstance(part, Streamed) else part.number for part in placed.parts)
    return f"A{last + 2}"


def _series(placed: Placed) -> list[Series]:
    """Give a series per column that has a colour, over the categories of the first column."""
    slot, sheet = listed(placed), quote_sheetname(placed.sheet.name)
    colours = [column.series for column in placed.sheet.columns if column.field]
    areas = [
        f"{sheet}!${column.letter}${slot.first}:${column.letter}${slot.last}"
        for column in slot.columns
    ]
    series: list[Series] = []
    for column, area, colour in zip(slot.columns, areas, colours, strict=True):
        if colour:
            name = StrRef(f"{sheet}!${column.letter}${slot.first - 1}")
            one = Series(
                idx=len(series), order=len(series), tx=SeriesLabel(name), invertIfNegative=False
            )
            one.cat, one.val = AxDataSource(NumRef(areas[0])), NumDataSource(NumRef(area))
            one.spPr = GraphicalProperties(
                solidFill=colour[1:].upper(), ln=LineProperties(noFill=True)
            )
            series.append(one)
    return series


def _category_axis(title: str, family: str) -> TextAxis:
    axis = TextAxis(
        axPos="b", numFmt=NumFmt(_CATEGORY_FORMAT), tickLblPos="low", noMultiLvlLbl=True
    )
    axis.title, axis.txPr = _title(title, _characters(family)), _text(family)
    axis.txPr.bodyPr = RichTextProperties(rot=_UPRIGHT, vert="horz")
    axis.spPr = GraphicalProperties(ln=LineProperties(solidFill=_AXIS))
    # What openpyxl leaves open is taken for a deleted axis.
    axis.delete = False
    return axis


def _value_axis(title: str, family: str) -> NumericAxis:
    axis = NumericAxis(axPos="l", numFmt=NumFmt(_VALUE_FORMAT), crossBetween="between")
    axis.majorGridlines = ChartLines(GraphicalProperties(ln=LineProperties(solidFill=_GRID)))
    axis.title, axis.txPr = _title(title, _characters(family)), _text(family)
    axis.spPr = GraphicalProperties(ln=LineProperties(noFill=True))
    axis.scaling.min = 0
    axis.delete = False
    return axis


def _title(text: str, characters: CharacterProperties) -> Title:
    run = RegularTextRun(rPr=characters, t=text)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=characters), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _text(family: str) -> RichText:
    characters = _characters(family)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=characters), r=(), endParaRPr=characters)
    return RichText(p=[paragraph])


def _characters(
    family: str, size: int = _TEXT_SIZE, colour: str = _GREY, *, bold: bool = False
) -> CharacterProperties:
    font = Font(typeface=family)
    return CharacterProperties(sz=size, b=bold, solidFill=colour, latin=font)
