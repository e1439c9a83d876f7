"""Every method by the name that the configuration gives it."""

from segspark.segments.methods.kmeans import KMeans
from segspark.segments.methods.kmedians import KMedians
from segspark.segments.methods.method import Method

METHODS: dict[str, Method] = {"kmeans": KMeans(), "kmedians": KMedians()}
