"""segspark: user segments, recommendations and campaign plans from a shop's raw logs, on Spark and Delta Lake."""

__version__ = "0.1.0"
