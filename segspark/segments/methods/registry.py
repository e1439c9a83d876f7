"""Every method by the name that the configuration gives it."""

from segspark.segments.methods.bisecting import Bisecting
from segspark.segments.methods.consensus import Consensus
from segspark.segments.methods.dbscan import Dbscan
from segspark.segments.methods.hdbscan import Hdbscan
from segspark.segments.methods.hierarchical import Hierarchical
from segspark.segments.methods.kmeans import KMeans
from segspark.segments.methods.kmedians import KMedians
from segspark.segments.methods.method import Method
from segspark.segments.methods.mixture import Mixture
from segspark.segments.methods.rules import RULED

_TOLD_HOW_MANY: dict[str, Method] = {
    "kmeans": KMeans(),
    "kmedians": KMedians(),
    "bisecting": Bisecting(),
    "mixture": Mixture(),
    "ward": Hierarchical("ward"),
    "average": Hierarchical("average"),
}

METHODS: dict[str, Method] = {
    **_TOLD_HOW_MANY,
    "dbscan": Dbscan(),
    "hdbscan": Hdbscan(),
    "consensus": Consensus(_TOLD_HOW_MANY),
    **RULED,
}
