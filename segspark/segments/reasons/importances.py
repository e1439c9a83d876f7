"""Which features tell the segments of a scheme apart."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from segspark.segments.reasons.table import Features

TREES = 60
USERS = 10_000  # of the sample; more change the third digit
DEPTH = 8


def importances(features: Features, seed: int) -> dict[str, float]:
    """Mean decrease of Gini impurity of each feature in a random forest (Breiman 2001), largest first; sum 1.

    Features that say the same share what they matter. Empty where nothing varies.
    """
    some = features.first(USERS)
    if some.cells.shape[1] == 0 or len(np.unique(some.labels)) < 2:
        return {}
    forest = RandomForestClassifier(TREES, max_depth=DEPTH, min_samples_leaf=2, random_state=seed % 2**32, n_jobs=1)
    with threadpool_limits(limits=1):
        found = forest.fit(some.cells, some.labels).feature_importances_
    order = np.lexsort((np.array(some.names), -found))
    return {some.names[place]: float(found[place]) for place in order}
