"""Bad files and rows, and beside each what must become of it: each case is one file of a source."""

import bz2
import gzip
import json
from dataclasses import dataclass, field

HEADER = "no,item,at,who,qty,price,disc"
ORDER_COLUMNS = {
    "order_id": "no",
    "item_id": "item",
    "order_time": "at",
    "user_id": "who",
    "quantity": "qty",
    "unit_price": "price",
    "discount": "10 / cast(disc AS int)",
}
EVENT_COLUMNS = {"event_id": "id", "user_id": "u", "event_time": "t", "event_type": "kind", "price": "p"}
RATING_COLUMNS = {"user_id": "u", "item_id": "i", "rated_at": "t", "rating": "stars"}

CUT = "the file is cut off"
DAMAGED = "the file is damaged"
OPEN_QUOTE = "a quote left open, or more than 39 fields where the header has 7"
EARLIER, LOGGED = "duplicate: an earlier row has event_id", "duplicate: the log has event_id already"


@dataclass(frozen=True)
class Case:
    """One file, and what becomes of its rows. `whole` is why it cannot be read as a whole."""

    name: str  # of the file, in the source's folder
    content: str | bytes
    accepted: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)  # rows by the beginning of the reason
    filtered: int = 0
    values: dict[str, object] = field(default_factory=dict)  # of every accepted row
    whole: str | None = None
    second_run: bool = False  # the file comes after the first run


def order(no, item="tea", at="2024-03-01 10:00", who="ann", qty="1", price="50", disc=""):
    return ",".join([no, item, at, who, qty, price, disc])


def lines(*rows, header=HEADER, end="\n"):
    return "".join(f"{row}{end}" for row in [header, *rows])


def event(number, **changes):
    return json.dumps({"id": number, "u": "ann", "t": "2024-03-01T10:00:00Z", "kind": "view", "p": 1, **changes})


def good(count, prefix):
    """Order lines that are not alike, so that they do not compress to nothing."""
    return [order(f"{prefix}{n}", item=f"i{n * 7919 % 10007}", price=str(n * 104729 % 997)) for n in range(count)]


def broken(text, damage):
    """The gzip of a text, cut in its middle or with bytes of its middle overwritten."""
    whole = gzip.compress(text.encode(), mtime=0)
    middle = len(whole) // 2
    return whole[:middle] if damage == "cut" else whole[:middle] + b"x" * 40 + whole[middle + 40 :]


MANY = lines(*good(2000, "z"))
ORDERS = [
    Case("too few fields.csv", lines("a1,tea", order("a2")), 1, {"2 fields where the header has 7": 1}),
    Case("too many fields.csv", lines(order("b1") + ",1,2"), 0, {"9 fields where the header has 7": 1}),
    Case("a quote that never closes.csv", lines('c1,"tea,2024-03-01', order("c2"), order("c3")), 2, {OPEN_QUOTE: 1}),
    Case("blank lines.csv", lines("", order("d1"), "   ", ""), 1, {"empty line": 3}),
    Case("no order id.csv", lines(order("")), 0, {"order_id is missing": 1}),
    Case("blank item.csv", lines(order("e1", item="   ")), 0, {"item_id is missing": 1}),
    Case("guest.csv", lines(order("f1", who="")), 1, values={"user_id": None}),
    Case("future.csv", lines(order("g1", at="2099-01-01")), 0, {"order_time is in the future": 1}),
    Case("clock never set.csv", lines(order("h1", at="1970-01-01")), 0, {"order_time is before 1995-01-01": 1}),
    Case("very late.csv", lines(order("i1", at="1999-12-31")), 1, values={"day": "1999-12-31"}),
    Case("no time.csv", lines(order("j1", at="")), 0, {"order_time is missing": 1}),
    Case(
        "no day of the calendar.csv",
        lines(order("k1", at="2024-02-30"), order("k2", at="31/12/2024"), order("k3", at="2024-03-01 25:00")),
        0,
        {"order_time is not a time": 3},
    ),
    # No clock in Berlin showed 02:30 on that day; Spark goes on counting and takes it for 03:30, without a word.
    Case(
        "daylight-saving gap.csv",
        lines(order("l1", at="2024-03-31 02:30:00 Europe/Berlin")),
        1,
        values={"order_time": "2024-03-31 01:30:00"},
    ),
    Case(
        "mixed time zones.csv",
        lines(
            order("m1", at="2024-03-01T12:00:00+02:00"),
            order("m2", at="2024-03-01T05:00:00-05:00"),
            order("m3", at="2024-03-01T10:00:00Z"),
        ),
        3,
        values={"order_time": "2024-03-01 10:00:00"},
    ),
    Case("not a number.csv", lines(order("n1", price="NaN")), 0, {"unit_price is not a finite number": 1}),
    Case("infinity.csv", lines(order("n2", qty="-Infinity")), 0, {"quantity is not a finite number": 1}),
    Case("1e308.csv", lines(order("n3", price="1e308")), 0, {"unit_price is above 1,000,000": 1}),
    Case("1e309.csv", lines(order("n4", price="1e309")), 0, {"unit_price is not a finite number": 1}),
    Case("negative quantity.csv", lines(order("n5", qty="-3")), 0, {"quantity is negative": 1}),
    Case("negative price.csv", lines(order("n6", price="-0.01")), 0, {"unit_price is negative": 1}),
    Case("no quantity.csv", lines(order("n7", qty="")), 0, {"quantity is missing": 1}),
    Case("nothing of it.csv", lines(order("n8", qty="0")), 1, values={"quantity": 0.0}),
    # A currency that stands in the price is told. One in a column of its own is not seen: the mapping must convert.
    Case(
        "other currencies.csv",
        lines(order("p1", price="5 EUR"), order("p2", price="$5"), order("p3", price='"5,50"')),
        0,
        {"unit_price is a number only if `decimal` of the source says what its signs mean": 3},
    ),
    Case("currency in a column.csv", lines(order("p4") + ",EUR", header=f"{HEADER},currency"), 1),
    Case("text for a number.csv", lines(order("q1", qty="two")), 0, {"quantity is not a number": 1}),
    Case("cast that fails.csv", lines(order("q2", disc="x")), 0, {"the expression for discount fails on this row": 1}),
    Case("division by zero.csv", lines(order("q3", disc="0")), 0, {"the expression for discount fails on this row": 1}),
    Case("discount too large.csv", lines(order("q4", price="1", disc="1")), 0, {"discount is more than the line": 1}),
    Case("left out by where.csv", lines(order("r1", item="post"), order("r2")), 1, filtered=1),
    Case("the same row twice.csv", lines(order("s1"), order("s1")), 2),
    Case("huge text.csv", lines(order("t1", item="x" * 2_000_000)), 1),
    Case("nul.csv", lines(order("u1", item="te\0a")), 1, values={"item_id": "te\0a"}),
    Case("emoji.csv", lines(order("u2", item="🎁👩‍👩‍👧")), 1, values={"item_id": "🎁👩‍👩‍👧"}),
    Case("right to left.csv", lines(order("u3", item="שלום\u202e")), 1, values={"item_id": "שלום\u202e"}),
    Case("formula.csv", lines(order("u4", item="=1+1")), 1, values={"item_id": "=1+1"}),
    Case("ids in two cases.csv", lines(order("V1"), order("v1")), 2, values={"line": 1}),
    Case("id with a space behind it.csv", lines(order("w1"), order("w1 ")), 2, values={"order_id": "w1"}),
    Case(
        "ids beyond 64 bits.csv",
        lines(order("x1", who="92233720368547758089")),
        1,
        values={"user_id": "92233720368547758089"},
    ),
    Case("byte order mark.csv", "\ufeff" + lines(order("y1")), 1),
    Case("windows line ends.csv", lines(order("y2"), order("y3"), end="\r\n"), 2, values={"discount": 0.0}),
    Case("old line ends.csv", lines(order("y4"), end="\r"), 1),
    Case("no line end.csv", lines(order("y5")).rstrip("\n"), 1),
    Case("header in capitals.csv", lines(order("y6"), header=HEADER.upper()), 1),
    Case("column added.csv", lines(order("y7") + ",new", header=f"{HEADER},more"), 1, second_run=True),
    Case("header only.csv", lines()),
    Case("gzip of nothing.csv.gz", gzip.compress(b"")),
    Case("star * and [x] 100%.csv", lines(order("y8")), 1),
    Case("folder named like a file.csv/part.csv", lines(order("y9")), 1),
    Case(
        "latin-1 value.csv",
        lines(order("A1"), order("A2", item="thé")).encode("latin-1"),
        1,
        {"the text is not": 1},
    ),
    Case("latin-1 header.csv", lines(order("A3"), header=f"{HEADER},größe").encode("latin-1"), whole="the first line"),
    Case("utf-16.csv", lines(order("A4")).encode("utf-16"), whole="the text is UTF-16; save it as UTF-8"),
    Case("cut.csv.gz", broken(MANY, "cut"), whole=CUT),
    Case("damaged.csv.gz", broken(MANY, "damage"), whole=DAMAGED),
    Case("text.csv.gz", lines(order("A5")), whole="no gzip file"),
    Case("cut.csv.bz2", bz2.compress(MANY.encode())[:-200], whole=CUT),
    Case("bytes behind the end.csv.gz", gzip.compress(lines(order("A6")).encode()) + b"bytes", whole=CUT),
]
EVENTS = [
    Case("array.json", f"[1,2]\n{event('a1')}\n", 1, {"not one JSON object": 1}),
    Case("cut off.json", event("b1") + "\n" + event("b2")[:30], 1, {"not one JSON object": 1}),
    Case("two in a line.json", f"{event('c1')} {event('c2')}\n", 0, {"not one JSON object": 1}),
    Case("blank.json", f"\n{event('d1')}\n  \n", 1, {"empty line": 2}),
    Case("not json.json", "<html>502 Bad Gateway</html>\n", 0, {"not one JSON object": 1}),
    Case("nan.json", event("e1", p=float("nan")), 0, {"not one JSON object": 1}),
    Case("byte order mark.json", f"\ufeff{event('f1')}\n{event('f2')}\n", 2),
    Case("utf-16.json", f"{event('g1')}\n".encode("utf-16"), whole="the text is UTF-16"),
    Case("no user.json", f"{event('h1', u=None)}\n{event('h2', u=' ')}\n", 0, {"user_id is missing": 2}),
    Case("64-bit id.json", event("i1", u=9007199254740993), 1, values={"user_id": "9007199254740993"}),
    Case("nested id.json", event("i2", u={"id": 1}), 1, values={"user_id": '{"id":1}'}),
    Case("field added.json", event("j1", more=[1]), 1),
    Case("negative price.json", event("k1", p=-1), 0, {"price is negative": 1}),
    Case("text price.json", event("k2", p="1.50 GBP"), 0, {"price is a number only if `decimal`": 1}),
    Case("twice in a file.json", f"{event('l1')}\n{event('l1', kind='click')}\n", 1, {EARLIER: 1}),
    Case("twice in two files 1.json", event("m1"), 1),
    Case("twice in two files 2.json", event("m1"), 0, {EARLIER: 1}),
    Case("twice in two runs 1.json", event("n1"), 1),
    Case("twice in two runs 2.json", f"{event('n1')}\n{event('n2')}\n", 1, {LOGGED: 1}, second_run=True),
]


def rating_cases(write):
    """Ratings as Parquet; `write` makes the bytes of a file from rows and their schema."""
    schema = "u string, i string, t timestamp, stars double"
    at = "2024-03-01 10:00:00"
    whole = write([(f"u{n}", f"i{n}", at, float(n % 5)) for n in range(1000)], schema)
    middle = len(whole) // 3
    flipped = whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
    return [
        Case("whole.parquet", whole, 1000),
        Case("cut.parquet", whole[: len(whole) // 2], whole="no whole Parquet file"),
        Case("damaged.parquet", flipped, whole=DAMAGED),
        Case("text.parquet", "hello", whole="no whole Parquet file"),
        Case("no rows.parquet", write([], schema)),
        Case("all null.parquet", write([("a", "i", at, None)] * 2, schema), 0, {"rating is missing": 2}),
        Case(
            "not finite.parquet",
            write([("c", "i", at, float("nan")), ("d", "i", at, float("inf"))], schema),
            0,
            {"rating is not a finite number": 2},
        ),
        Case("capitals.parquet", write([("e", "i", at, 4.0)], "U string, I string, T timestamp, STARS double"), 1),
        Case(
            "another type.parquet",
            write([("f", "i", at, "4"), ("g", "i", at, "good")], "u string, i string, t timestamp, stars string"),
            1,
            {"rating is not a number": 1},
        ),
        Case(
            "64-bit ids.parquet",
            write([(9007199254740993, 1, at, 4.0)], "u bigint, i bigint, t timestamp, stars double"),
            1,
            values={"user_id": "9007199254740993"},
        ),
        Case(
            "column added.parquet",
            write([("h", "i", at, 4.0, 1)], f"{schema}, more int"),
            1,
            second_run=True,
        ),
    ]
