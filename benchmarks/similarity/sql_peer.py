"""Plain Spark SQL: the pairs joined with themselves on the user."""

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session

SQL = """
WITH norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM pairs GROUP BY item_id),
scaled AS (SELECT user_id, item_id, weight / norm AS weight FROM pairs JOIN norms USING (item_id)),
products AS (
    SELECT a.item_id, b.item_id AS neighbour_id, sum(a.weight * b.weight) AS similarity
    FROM scaled a JOIN scaled b ON a.user_id = b.user_id AND a.item_id <> b.item_id
    GROUP BY a.item_id, b.item_id),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY similarity DESC, neighbour_id) AS rank FROM products)
SELECT item_id, rank, neighbour_id, similarity FROM ranked WHERE rank <= {neighbours}
"""


def run(task: Task, ready: Ready) -> None:
    """Writes the neighbours of every item."""
    spark = session(task)
    ready()
    spark.read.parquet(task.inputs["pairs"]).createOrReplaceTempView("pairs")
    spark.sql(SQL.format(neighbours=int(task.settings["neighbours"]))).write.parquet(task.output)
    spark.stop()
