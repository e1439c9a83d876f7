"""How many Spark SQL executions each stage of a run takes, and how many it may take."""

from collections import Counter

from pyspark.java_gateway import ensure_callback_server_started

# On the shop of the end-to-end tests, in a first run. A stage that comes later brings a budget of its own.
BUDGETS = {
    "ingest": 30,
    "features": 27,
    "factors": 12,
    "similarity": 8,
    "segments": 34,
    "recommendations": 10,
    "evaluate": 16,
    "campaigns": 20,
    "marts": 12,
    "report": 8,
    "publish": 10,
}
# In the run after it, whose files bring one day more.
BUDGETS_OF_A_DAY_MORE = {
    "ingest": 26,
    "features": 38,
    "factors": 12,
    "similarity": 6,
    "segments": 38,
    "recommendations": 8,
    "evaluate": 14,
    "campaigns": 28,
    "marts": 10,
    "report": 8,
    "publish": 10,
}


class Executions:
    """A listener of Spark that counts by stage; as a context it listens."""

    def __init__(self, spark):
        self.spark, self.by_stage = spark, Counter()
        self._seen: set[int] = set()  # Spark tells a listener of some executions twice

    def __enter__(self):
        ensure_callback_server_started(self.spark.sparkContext._gateway)
        self._context().addSparkListener(self)
        return self

    def __exit__(self, *error):
        self._context().listenerBus().waitUntilEmpty()
        self._context().removeSparkListener(self)

    def onOtherEvent(self, event):  # noqa: N802 - as Spark calls it
        if event.getClass().getSimpleName() != "SparkListenerSQLExecutionStart":
            return
        number = event.executionId()
        if number not in self._seen:
            self._seen.add(number)
            tags = event.jobTags().mkString(",").split(",")
            self.by_stage[next((tag for tag in tags if tag in BUDGETS), "no stage")] += 1

    def __getattr__(self, name):
        """Every other event, which Spark tells as well."""
        if name.startswith("on"):
            return lambda *event: None
        raise AttributeError(name)

    def _context(self):
        return self.spark.sparkContext._jsc.sc()

    class Java:
        implements = ["org.apache.spark.scheduler.SparkListenerInterface"]  # noqa: RUF012 - as py4j wants it
