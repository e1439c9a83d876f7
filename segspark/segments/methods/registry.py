"""Every method by the name that the configuration gives it."""

from segspark.segments.methods.bisecting import Bisecting
from segspark.segments.methods.dbscan import Dbscan
from segspark.segments.methods.hdbscan import Hdbscan
from segspark.segments.methods.hierarchical import Hierarchical
from segspark.segments.methods.kmeans import KMeans
from segspark.segments.methods.kmedians import KMedians
from segspark.segments.methods.method import Method
from segspark.segments.methods.mixture import Mixture

METHODS: dict[str, Method] = {
    "kmeans": KMeans(),
    "kmedians": KMedians(),
    "bisecting": Bisecting(),
    "mixture": Mixture(),
    "ward": Hierarchical("ward"),
    "average": Hierarchical("average"),
    "dbscan": Dbscan(),
    "hdbscan": Hdbscan(),
}
