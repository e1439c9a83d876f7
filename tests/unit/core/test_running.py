"""Three small stages on a real lake, run after run: what is computed again, and what is taken over."""

import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone

import pytest
from deltalake import DeltaTable
from pydantic import BaseModel
from pyspark.sql import functions as F

from segspark.core.contracts import (
    ITEM_FACTORS,
    ITEM_INDEX,
    RATINGS,
    RECOMMENDATION_METRICS,
    SEGMENT_LINEAGE,
    SOURCE_FILES,
    USER_FACTORS,
    USER_INDEX,
)
from segspark.core.declared import Part, Read, Stage, in_order, needs, only
from segspark.core.errors import ContractError, GateError
from segspark.core.ledger import newest_status
from segspark.core.retention import HousekeepingConfig, prune
from segspark.core.running import StageRunner
from segspark.core.runs import WHOLE_RUN, StageRecord, finished_stages, publish_run, record
from segspark.core.side_by_side import InTurn, do_all
from segspark.core.stage import Run, StageContext, StageResult
from segspark.core.taking_over import sources_of
from tests.builders import at, day, rows_of

AS_OF = date(2024, 7, 1)
computed = Counter()  # calls of each function below


class Settings(BaseModel):
    rank: int = 1
    digits: int = 1


def number_users(context):
    """user_index from ratings."""
    computed["numbers"] += 1
    users = context.lake.read(RATINGS).select("user_id").distinct()
    numbered = users.select("user_id", F.expr("cast(ascii(user_id) as int)").alias("user_no"))
    return StageResult({USER_INDEX.name: context.view.write(USER_INDEX, numbered)}, notes=("few users",))


def fit(context, settings):
    """user_factors from user_index; `rank` tells how long they are."""
    computed["factors"] += 1
    factors = F.array_repeat(F.col("user_no").cast("float"), settings.rank).alias("factors")
    rows = context.view.frame(USER_INDEX).select("user_id", factors)
    return StageResult({USER_FACTORS.name: context.view.write(USER_FACTORS, rows)})


def measure(context, settings):
    """One metric from the users that have factors, whatever these are."""
    computed["metrics"] += 1
    users = context.view.frame(USER_FACTORS).count()
    row = dict.fromkeys(RECOMMENDATION_METRICS.names)
    row |= {"method": "als", "metric": "users", "k": settings.digits, "value": float(users)}
    return StageResult({"recommendation_metrics": context.view.write_rows(RECOMMENDATION_METRICS, [row])})


def compare(context):
    """Against the published run."""
    computed["lineage"] += 1
    earlier = context.view.earlier
    row = dict.fromkeys(SEGMENT_LINEAGE.names) | {"scheme": earlier.run_id if earlier else "none"}
    return StageResult({"segment_lineage": context.view.write_rows(SEGMENT_LINEAGE, [row])})


STAGES = in_order(
    (
        Stage("numbers", (Part(number_users, reads=(RATINGS,), writes=(USER_INDEX,)),)),
        Stage(
            "factors",
            (
                Part(fit, (USER_INDEX,), (USER_FACTORS,), lambda config: (only(config, "rank"),)),
                Part(compare, writes=(SEGMENT_LINEAGE,), earlier=(SEGMENT_LINEAGE,)),
            ),
        ),
        Stage(
            "metrics",
            (
                Part(
                    measure,
                    (Read(USER_FACTORS, ("user_id",)),),
                    (RECOMMENDATION_METRICS,),
                    lambda config: (only(config, "digits"),),
                ),
            ),
        ),
    )
)
LINEAGE = {"lineage"}  # is made in every run


@dataclass
class Shop:
    """A lake whose ratings grow file by file, and runs on it."""

    lake: object
    files: int = 0
    runs: int = 0
    published: str | None = None

    def rate(self, *users, source="ratings"):
        self.files += 1
        rated = {"item_id": "x", "rated_at": at("2024-03-01 10:00"), "day": day("2024-03-01"), "rating": 1.0}
        rows = [{"user_id": user, "ingest_seq": self.files, **rated} for user in users]
        if rows:
            self.lake.append(RATINGS, rows_of(self.lake.spark, RATINGS, *rows))
        known = dict.fromkeys(SOURCE_FILES.names) | {"source": source, "ingest_seq": self.files}
        self.lake.append_rows(SOURCE_FILES, [known])

    def run(self, config=None, as_of=AS_OF, seed=7, stages=STAGES, reuse=True, publish=True, run_id=None):
        """Runs and publishes; returns the run's id and the functions that computed something."""
        self.runs += run_id is None
        run = Run(run_id or f"r{self.runs}-1", as_of, self.files, seed, self.published)
        context = StageContext(self.lake, run)
        computed.clear()
        sources = sources_of(self.lake, run) if reuse else []
        runner = StageRunner(stages, config or Settings(), "c", context, sources)
        self.told = []
        for name in stages:
            if name not in finished_stages(self.lake, run.run_id):
                runner.do(name, f"[{name}]", self.told.append)
        if publish:
            record(self.lake, run, "c", [StageRecord(WHOLE_RUN, "done", datetime.now(timezone.utc))])
            publish_run(self.lake, run.run_id, "run")
            self.published = run.run_id
        return run.run_id, set(computed)

    def ledger(self, run_id):
        return {row.stage: row for row in newest_status(self.lake) if row.run_id == run_id}

    def rows(self, contract, run_id):
        return sorted(map(str, self.lake.read_run(contract, run_id).collect()))


@pytest.fixture
def shop(lake):
    shop = Shop(lake)
    shop.rate("ann", "bob")
    return shop


ALL = {"numbers", "factors", "metrics"} | LINEAGE


def test_rows_that_follow_from_the_same_are_taken_over_and_equal_those_of_the_run_before(shop):
    first, made = shop.run()
    assert made == ALL
    second, made = shop.run()
    assert made == LINEAGE
    for contract in (USER_INDEX, USER_FACTORS, RECOMMENDATION_METRICS):
        assert shop.rows(contract, second) == shop.rows(contract, first) != []
    assert shop.rows(SEGMENT_LINEAGE, second) != shop.rows(SEGMENT_LINEAGE, first)
    ledger = shop.ledger(second)
    assert {stage: ledger[stage].status for stage in STAGES} == {
        "numbers": "taken over",
        "factors": "done",
        "metrics": "taken over",
    }
    assert ledger["numbers"].note == f"taken over from run {first}; few users"
    assert ledger["factors"].note == f"user_factors: taken over from run {first}"
    assert ledger["numbers"].rows == 2
    assert any(line.startswith("[numbers]  taken over: user_index 2") for line in shop.told)
    third, made = shop.run()
    assert made == LINEAGE
    assert shop.ledger(third)["numbers"].note == f"taken over from run {second}; few users"
    assert shop.rows(USER_FACTORS, third) == shop.rows(USER_FACTORS, first)


def test_a_setting_reaches_what_it_is_given_to_and_what_goes_by_another_outcome(shop):
    first, _ = shop.run()
    second, made = shop.run(Settings(rank=3))
    assert made == {"factors"} | LINEAGE, "the same users have factors, so the metric is the same"
    assert shop.rows(USER_FACTORS, second) != shop.rows(USER_FACTORS, first) != []
    _, made = shop.run(Settings(rank=3, digits=2))
    assert made == {"metrics"} | LINEAGE


def test_a_new_file_reaches_what_reads_its_log_and_a_file_of_another_source_does_not(shop):
    shop.run()
    shop.rate(source="outcomes")
    assert shop.run()[1] == LINEAGE
    shop.rate("cleo")
    run_id, made = shop.run()
    assert made == ALL and len(shop.rows(USER_FACTORS, run_id)) == 3
    shop.rate("ann")
    assert shop.run()[1] == {"numbers", "factors"} | LINEAGE, "nobody else has factors"


@pytest.mark.parametrize("change", [{"as_of": date(2024, 7, 2)}, {"seed": 8}, {"reuse": False}])
def test_another_day_or_seed_and_force_compute_everything(shop, change):
    shop.run()
    assert shop.run(**change)[1] == ALL


def test_rows_that_are_no_longer_what_was_published_are_computed(shop):
    first, _ = shop.run()
    before = shop.rows(USER_INDEX, first)
    stored = DeltaTable(f"{shop.lake.root}/{USER_INDEX.name}")
    stored.update({"user_no": "user_no + 1"}, predicate=f"run_id = '{first}'")
    second, made = shop.run()
    assert made == {"numbers"} | LINEAGE
    assert any(f"the rows of run {first} are no longer what they were" in line for line in shop.told)
    assert shop.rows(USER_INDEX, second) == before != shop.rows(USER_INDEX, first)


def test_rows_that_were_removed_are_computed(shop):
    first, _ = shop.run()
    shop.lake.delete_runs(USER_INDEX, [first])
    assert shop.run()[1] == {"numbers"} | LINEAGE


def test_of_a_run_that_was_pruned_nothing_is_taken_over(shop):
    first, _ = shop.run()
    shop.rate("cleo")
    shop.run()
    prune(shop.lake, HousekeepingConfig(keep_runs=1, vacuum_hours=0), datetime.now(timezone.utc))
    shop.published = first
    assert shop.run(run_id="r9-1")[1] == ALL


def test_what_an_attempt_made_that_was_not_published_is_taken_over(shop):
    shop.run()
    shop.rate("cleo")
    broken = {**STAGES, "metrics": Stage("metrics", (Part(lambda context: 1 / 0),))}
    with pytest.raises(ZeroDivisionError):
        shop.run(stages=broken, run_id="r7-1")
    run_id, made = shop.run(Settings(digits=2), publish=False)
    assert made == {"metrics"} | LINEAGE
    ledger = shop.ledger(run_id)
    assert ledger["numbers"].note == "taken over from run r7-1; few users"
    assert ledger["factors"].note == "user_factors: taken over from run r7-1"
    shop.lake.delete_runs(USER_INDEX, ["r7-1", run_id])
    assert "numbers" in shop.run(Settings(digits=3), publish=False)[1]


def test_an_attempt_from_before_the_publication_is_no_source(shop):
    shop.run(publish=False)
    first, made = shop.run(reuse=False)
    assert made == ALL
    run = Run("r9-1", AS_OF, shop.files, 7, first)
    assert [source.run_id for source in sources_of(shop.lake, run)] == [first]
    later, _ = shop.run(publish=False)
    assert [source.run_id for source in sources_of(shop.lake, run)] == [first, later]


def test_an_attempt_that_goes_on_takes_over_what_it_would_have(shop):
    first, _ = shop.run()
    broken = dict(STAGES) | {"metrics": Stage("metrics", (Part(lambda context: 1 / 0),))}
    with pytest.raises(ZeroDivisionError):
        shop.run(stages=broken, run_id="r7-1")
    assert shop.ledger("r7-1")["metrics"].status == "failed"
    _, made = shop.run(run_id="r7-1")
    assert made == set()
    assert shop.ledger("r7-1")["metrics"].note == f"taken over from run {first}"


def test_what_nothing_made_in_this_attempt_is_not_taken_for_made(shop):
    shop.run()
    alone = {"metrics": STAGES["metrics"]}
    _, made = shop.run(stages=alone, publish=False)
    assert made == {"metrics"}


def test_a_ledger_of_the_version_before_tells_no_fingerprints(shop):
    first, _ = shop.run()
    (source,) = sources_of(shop.lake, Run("r9-1", AS_OF, shop.files, 7, first))
    assert source.part("numbers", 0).note == "few users"
    silent = {stage: type(row)(row | {"parts": None}) for stage, row in source.stages.items()}
    assert replace(source, stages=silent).part("numbers", 0) is None


def test_a_stage_sees_only_what_it_declares(shop):
    def reading(read, *reads, **more):
        return {"one": Stage("one", (Part(lambda context: read(context), reads, **more),))}

    for wrong, said in [
        (lambda context: context.lake.read(RATINGS), "one: ratings is read and not declared"),
        (lambda context: context.view.frame(ITEM_FACTORS), "one: item_factors is read and not declared"),
        (lambda context: context.lake.read_run(USER_INDEX, "r0-1"), "one: user_index of other runs is read and not"),
        (lambda context: context.lake.read(USER_INDEX), "one: user_index of other runs is read and not declared"),
        (lambda context: context.view.write_rows(SEGMENT_LINEAGE, []), "one: segment_lineage is written and not"),
        (lambda context: context.lake.append(RATINGS, None), "one: ratings is written and not declared"),
    ]:
        with pytest.raises(ContractError, match=said):
            shop.run(stages=reading(wrong, USER_INDEX), publish=False)


def test_of_a_table_that_is_declared_in_part_a_stage_sees_these_rows_and_columns(shop):
    seen = []

    def look(context):
        seen.append([tuple(row) for row in context.view.frame(USER_INDEX).collect()])
        return StageResult()

    stages = {
        "numbers": STAGES["numbers"],
        "look": Stage("look", (Part(look, (Read(USER_INDEX, ("user_id",), where="user_no > 97"),)),)),
    }
    shop.run(stages=stages, publish=False)
    assert seen == [[("bob",)]]


def test_a_stage_that_refuses_stands_in_the_ledger_with_what_it_wrote(shop):
    refusing = Stage("one", (Part(lambda context: StageResult({"segments": 3}, refused="too many moved")),))
    with pytest.raises(GateError, match="too many moved"):
        shop.run(stages={"one": refusing}, publish=False, run_id="r5-1")
    row = shop.ledger("r5-1")["one"]
    assert (row.status, row.rows, row.note) == ("refused", 3, "too many moved")


def test_stages_that_run_side_by_side_leave_what_they_leave_one_after_the_other(shop):
    meet = threading.Barrier(2)

    def number_items(context):
        meet.wait(60)
        items = context.lake.read(RATINGS).select("item_id").distinct().withColumn("item_no", F.lit(0))
        return StageResult({ITEM_INDEX.name: context.view.write(ITEM_INDEX, items)})

    def number_users_then(context):
        meet.wait(60)
        return number_users(context)

    numbers = Stage("numbers", (Part(number_users_then, (RATINGS,), (USER_INDEX,)),))
    items = Stage("items", (Part(number_items, (RATINGS,), (ITEM_INDEX,)),))
    stages = in_order((numbers, items, STAGES["factors"]))
    run = Run("r1-1", AS_OF, shop.files, 7)
    runner = StageRunner(stages, Settings(), "c", StageContext(shop.lake, run))
    told = []
    in_turn = InTurn(told.append, list(stages))

    def do(name):
        runner.do(name, name, in_turn.of(name))
        in_turn.end(name)

    with shop.lake.writing(run.run_id):
        do_all(list(stages), needs(stages.values()), 2, do)
    assert [line.split()[0] for line in told if not line.startswith(" ")] == ["numbers", "items", "factors"]
    assert shop.rows(USER_FACTORS, "r1-1") and shop.rows(ITEM_INDEX, "r1-1")
    again, _ = shop.run()
    assert shop.rows(USER_FACTORS, "r1-1") == shop.rows(USER_FACTORS, again)
