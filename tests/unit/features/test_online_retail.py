"""Three real customers, their features worked out from the raw lines in plain Python."""

import csv
import gzip
import itertools
import math
import statistics
from datetime import date, datetime
from pathlib import Path

import pytest

from segspark.core.contracts import FEATURE_SELECTION, ORDERS, PREPARED_FEATURES, USER_FEATURES
from segspark.core.lake import Lake
from tests.unit.features.shops import Shop

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[4] / "shared" / "data" / "online_retail"
AS_OF = date(2011, 9, 1)
CUSTOMERS = ("17850", "12583", "13047")


def raw_lines():
    for path in sorted(DATA.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def lines():
    if not DATA.exists():
        pytest.skip("the shared online_retail data is not beside the repository")
    by_customer = {}
    for line in raw_lines():
        customer = line["CustomerID"].replace(".0", "")
        if customer:
            by_customer.setdefault(customer, []).append(line)
    wanted = {*CUSTOMERS, *sorted(by_customer)[::60]}
    return {customer: rows for customer, rows in by_customer.items() if customer in wanted}


@pytest.fixture(scope="module")
def retail(spark, tmp_path_factory, lines):
    shop = Shop(spark, Lake(spark, str(tmp_path_factory.mktemp("retail") / "lake")))
    numbered = ((c, n, line) for c, rows in lines.items() for n, line in enumerate(rows))
    shop.log(ORDERS, *(order_line(customer, number, line) for customer, number, line in numbered))
    return shop, shop.run(AS_OF.isoformat())


def order_line(customer, number, line):
    quantity = int(line["Quantity"])
    return {
        "order_id": line["InvoiceNo"],
        "line": number,
        "user_id": customer,
        "item_id": line["StockCode"],
        "quantity": float(abs(quantity)),
        "unit_price": float(line["UnitPrice"]),
        "discount": None,
        "status": "cancelled" if quantity < 0 else "paid",
        "order_time": datetime.fromisoformat(line["InvoiceDate"]),
    }


def by_hand(rows):
    """The features of one customer, from raw lines, without any table."""
    paid = [row for row in rows if int(row["Quantity"]) > 0]
    orders = {row["InvoiceNo"] for row in paid}
    units = sum(int(row["Quantity"]) for row in paid)
    money = sum(round(int(row["Quantity"]) * float(row["UnitPrice"]), 4) for row in paid)
    days = sorted({date.fromisoformat(row["InvoiceDate"][:10]) for row in paid})
    gaps = [(after - before).days for before, after in itertools.pairwise(days)]
    bought_on = {}
    for row in paid:
        bought_on.setdefault(row["StockCode"], set()).add(row["InvoiceDate"][:10])
    recent = [row for row in paid if (AS_OF - date.fromisoformat(row["InvoiceDate"][:10])).days <= 90]
    on_weekend = {r["InvoiceNo"] for r in paid if date.fromisoformat(r["InvoiceDate"][:10]).weekday() >= 5}
    return {
        "recency_days": (AS_OF - days[-1]).days,
        "frequency": len(orders),
        "monetary": money,
        "aov": money / len(orders),
        "items_per_order": units / len(orders),
        "inter_purchase_days_mean": statistics.mean(gaps) if gaps else None,
        "inter_purchase_days_std": statistics.stdev(gaps) if len(gaps) > 1 else None,
        "tenure_days": (AS_OF - min(date.fromisoformat(row["InvoiceDate"][:10]) for row in rows)).days,
        "refund_share": (len(rows) - len(paid)) / len(rows),
        "repeat_item_share": sum(len(on) > 1 for on in bought_on.values()) / len(bought_on),
        "orders_90d": len({row["InvoiceNo"] for row in recent}),
        "spend_90d": sum(int(row["Quantity"]) * float(row["UnitPrice"]) for row in recent),
        "weekend_share": len(on_weekend) / len(orders),
        "night_share": 0.0,
        "distinct_items": len({row["StockCode"] for row in paid}),
        "discount_share": None,
        "sessions": None,
        "age": None,
    }


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_the_features_of_a_real_customer_are_what_the_raw_lines_give_by_hand(retail, lines, customer):
    shop, _ = retail
    row = shop.rows(USER_FEATURES)[(customer,)]
    for name, expected in by_hand(lines[customer]).items():
        assert row[name] == (pytest.approx(expected, rel=1e-9) if expected is not None else None), name


def test_new_products_and_price_level_of_a_real_customer_follow_from_all_lines_by_hand(retail, lines):
    shop, _ = retail
    paid = {c: [row for row in rows if int(row["Quantity"]) > 0] for c, rows in lines.items()}
    everything = [row for rows in paid.values() for row in rows]
    first_sale = {}
    for row in everything:
        first = first_sale.setdefault(row["StockCode"], row["InvoiceDate"][:10])
        first_sale[row["StockCode"]] = min(first, row["InvoiceDate"][:10])
    worth = [int(row["Quantity"]) * float(row["UnitPrice"]) for row in everything]
    mean_price = sum(worth) / sum(int(row["Quantity"]) for row in everything)

    mine = paid["12583"]
    new = [r for r in mine if (day_of(r["InvoiceDate"]) - day_of(first_sale[r["StockCode"]])).days <= 60]
    item_days = {}
    for row in mine:
        spend, units = item_days.get((row["StockCode"], row["InvoiceDate"][:10]), (0.0, 0))
        quantity = int(row["Quantity"])
        key = (row["StockCode"], row["InvoiceDate"][:10])
        item_days[key] = (spend + quantity * float(row["UnitPrice"]), units + quantity)
    level = sum(spend * spend / units / mean_price for spend, units in item_days.values())
    row = shop.rows(USER_FEATURES)[("12583",)]
    assert row["new_product_share"] == pytest.approx(len(new) / len(mine))
    assert row["price_level"] == pytest.approx(level / sum(spend for spend, _ in item_days.values()), rel=1e-6)
    assert row["category_entropy"] is None and row["favourite_category"] is None


def day_of(text):
    return date.fromisoformat(text[:10])


def test_orders_alone_give_everyone_a_prepared_vector_and_say_what_was_left_out(retail, lines):
    shop, result = retail
    prepared = shop.rows(PREPARED_FEATURES)
    selection = {name: row for (name,), row in shop.rows(FEATURE_SELECTION).items()}
    assert {user for (user,) in prepared} == set(lines) and result.rows["prepared_features"] == len(lines)
    kept = [name for name, row in selection.items() if row.kept]
    assert {"recency_days", "frequency", "monetary"} <= set(kept)
    assert all(len(row.features) == len(kept) for row in prepared.values())
    assert all(math.isfinite(value) for row in prepared.values() for value in row.features)
    assert selection["age"].reason == "missing for 100% of users" and not selection["sessions"].kept
    assert selection["monetary"].log_scaled
