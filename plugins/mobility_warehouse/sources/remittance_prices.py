"""Remittance Prices Worldwide: what sending money costs, by quote of a provider and as corridor averages."""

from __future__ import annotations

from collections.abc import Sequence

from mobility_warehouse.sources.declaration import Column, ColumnType, Resource
from mobility_warehouse.sources.files import FileSource

_TEXT, _FLOAT = ColumnType.TEXT, ColumnType.FLOAT

CORRIDOR_AVERAGE = Resource(
    name="corridor_average",
    description="Average total cost of sending money along one corridor in one quarter.",
    key=("series_code", "sending_country", "receiving_country", "period"),
    columns=(
        Column(
            "series_code",
            _TEXT,
            "Series, ATCR.CORR for the average total cost in a corridor",
            nullable=False,
            known_values=frozenset({"ATCR.CORR"}),
        ),
        Column("series_name", _TEXT, "Name of the series", volatile=True),
        Column("sending_country", _TEXT, "Code of the country that the money is sent from", nullable=False),
        Column("sending_name", _TEXT, "Name of the sending country", volatile=True),
        Column("receiving_country", _TEXT, "Code of the country that the money is sent to", nullable=False),
        Column("receiving_name", _TEXT, "Name of the receiving country", volatile=True),
        Column("period", _TEXT, "Quarter, as 2020Q3", unit="calendar quarter", nullable=False),
        Column("total_cost", _FLOAT, "Average total cost", unit="percent of the amount", nullable=False),
    ),
    once=True,
)


def _amount(prefix: str, dollars: int) -> tuple[Column, ...]:
    """The columns of one of the two amounts that are quoted, equal to so many US dollars."""
    what = f"for {dollars} US dollars"
    currency = "the sending country's currency"
    return (
        Column(f"{prefix}_amount", _FLOAT, f"Amount sent {what}; 0 where none was quoted", unit=currency),
        Column(f"{prefix}_denomination", _FLOAT, f"Nominal amount {what}", unit="US dollars"),
        Column(f"{prefix}_currency", _TEXT, "Currency of amount and fee"),
        Column(f"{prefix}_fee", _FLOAT, f"Fee {what}", unit=currency),
        Column(
            f"{prefix}_rate",
            _FLOAT,
            f"Exchange rate applied {what}; 1 stands for none, or for one that is not disclosed",
            unit=f"receiving country's currency per unit of {currency}",
        ),
        Column(
            f"{prefix}_margin",
            _FLOAT,
            f"Exchange rate margin {what}; 0 also where it is not disclosed",
            unit="percent of the amount",
        ),
        Column(f"{prefix}_total_cost", _FLOAT, f"Total cost {what}", unit="percent of the amount"),
    )


QUOTE = Resource(
    name="quote",
    description="What one provider asks in one corridor and quarter, for 200 and for 500 US dollars.",
    # The id alone recurs: it is numbered anew.
    key=("period", "quote_id"),
    columns=(
        Column("quote_id", _TEXT, "Number of the quote within its period", nullable=False),
        Column("period", _TEXT, "Quarter, as 2016_2Q", unit="calendar quarter", nullable=False),
        Column("sheet", _TEXT, "Sheet of the workbook, which differ in vocabulary", nullable=False),
        Column("source_country", _TEXT, "Code of the country that the money is sent from", nullable=False),
        Column("source_name", _TEXT, "Name of the sending country", volatile=True),
        Column("destination_country", _TEXT, "Code of the country that it is sent to", nullable=False),
        Column("destination_name", _TEXT, "Name of the receiving country", volatile=True),
        Column("firm", _TEXT, "Provider"),
        Column("firm_type", _TEXT, "Kind of provider"),
        Column("product", _TEXT, "Product, until the first quarter of 2016"),
        Column("payment_instrument", _TEXT, "What the sender pays with, from the second quarter of 2016"),
        Column("access_point", _TEXT, "Where the sender pays; other words before the second quarter of 2016"),
        Column("speed", _TEXT, "How soon the money is there"),
        *_amount("cc1", 200),
        *_amount("cc2", 500),
        Column(
            "interbank_rate",
            _FLOAT,
            "Exchange rate between banks",
            unit="receiving country's currency per unit of the sending country's currency",
        ),
        Column("transparent", ColumnType.BOOLEAN, "Whether the provider discloses its exchange rate"),
        Column("standard_note", _TEXT, "The publisher's standard remark"),
        Column("second_note", _TEXT, "The publisher's second remark"),
        Column("network_coverage", _TEXT, "Network of the provider; by place, later by rank"),
        Column("pickup_method", _TEXT, "How the receiver gets the money"),
        Column("pickup_location", _TEXT, "Where the receiver gets it, from the second quarter of 2016"),
        Column("date", ColumnType.DATE, "Day of the quote"),
        Column("corridor", _TEXT, "Both codes joined; Kosovo is coded otherwise in it now and then"),
    ),
    once=True,
)


class RemittancePrices(FileSource):
    """The workbook of quotes and the DataBank's corridor averages, a slice each."""

    name = "remittance_prices"
    title = "Remittance Prices Worldwide"
    publisher = "World Bank, Remittance Prices Worldwide"
    licence = "CC BY 4.0"
    licence_url = "https://creativecommons.org/licenses/by/4.0/"
    attribution = "The World Bank, Remittance Prices Worldwide, available at remittanceprices.worldbank.org"
    cadence = "Quarterly, about two quarters late"
    schedule = "45 5 * * *"
    resources: Sequence[Resource] = (CORRIDOR_AVERAGE, QUOTE)


SOURCE = RemittancePrices()
