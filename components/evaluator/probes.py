"""What a code knows of classes that it was never told: simple classifiers and clusters on codes, judged on the test split.

The linear probe is that of Alain & Bengio 2017, "Understanding intermediate layers using linear classifier probes", ICLR workshop;
the adjusted Rand index that of Hubert & Arabie 1985, "Comparing partitions", Journal of Classification 2.
"""

from typing import NamedTuple

import numpy as np

from components.evaluator.intervals import Figure, by_place, of_share, percentiles, resampled

NEIGHBOURS = 5
STARTS = 4  # of k-means; the one with the smallest distances is kept
STEPS = 300  # of L-BFGS at most
SEED = 0

PROBE, NEAREST, CLUSTERS = FIGURES = ("probe_accuracy", "knn_accuracy", "kmeans_ari")


class Codes(NamedTuple):
    """float [N, k] and the classes that they are of, int64 [N]."""

    codes: np.ndarray
    labels: np.ndarray


def figures(train: Codes, test: Codes) -> dict[str, Figure]:
    """Those of FIGURES that can be had.

    None without two classes in `train` or without an image of them in `test`; test images of other classes are left out, because
    no probe can know these. None of codes that are not all finite.

    probe_accuracy: of multinomial logistic regression (L2 penalty, C = 1) on codes standardised by those of `train`.
    knn_accuracy: of the majority of the 5 nearest training codes, by Euclidean distance; not with fewer than 5 codes.
    kmeans_ari: how far as many clusters as there are classes agree with these, 1 entirely, 0 as by chance. They are found in the
        codes of `train` without a label, the best of 4 starts from seed 0.
    """
    from sklearn.cluster import KMeans
    from sklearn.neighbors import KNeighborsClassifier

    figures = linear(train, test)
    if not figures:
        return {}
    test = _known(train, test)
    if len(train.codes) >= NEIGHBOURS:
        figures[NEAREST] = of_share(KNeighborsClassifier(NEIGHBOURS).fit(*train).predict(test.codes) == test.labels)
    clusters = KMeans(len(np.unique(train.labels)), n_init=STARTS, random_state=SEED).fit(train.codes)
    figures[CLUSTERS] = _agreement(test.labels, clusters.predict(test.codes))
    return figures


def linear(train: Codes, test: Codes) -> dict[str, Figure]:
    """The linear probe alone, under the same conditions."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    test = _known(train, test)
    if len(np.unique(train.labels)) < 2 or not len(test.labels):
        return {}
    if not (np.isfinite(train.codes).all() and np.isfinite(test.codes).all()):
        return {}
    scaler = StandardScaler().fit(train.codes)
    regression = LogisticRegression(max_iter=STEPS).fit(scaler.transform(train.codes), train.labels)
    return {PROBE: of_share(regression.predict(scaler.transform(test.codes)) == test.labels)}


def _agreement(labels: np.ndarray, clusters: np.ndarray) -> Figure:
    """The adjusted Rand index, with its interval over images: of what training gave the bootstrap knows nothing."""
    from sklearn.metrics import adjusted_rand_score

    pairs, cells = np.unique(np.stack([labels, clusters]), axis=1, return_inverse=True)
    cells = cells.ravel()

    def indices(weights: np.ndarray) -> np.ndarray:
        """Hubert & Arabie's equation 5, of how many pairs of images there are by [resample, label, cluster]; copies that a resample
        has of one image are no pair, because they agree always."""
        of_cell, of_label, of_cluster, of_all = (
            ((by_place(weights, *places) ** 2 - by_place(weights**2, *places)) / 2).sum(1)
            for places in ((cells, pairs.shape[1]), _places(labels), _places(clusters), (np.zeros_like(cells), 1))
        )
        expected, most = of_label * of_cluster / of_all, (of_label + of_cluster) / 2
        with np.errstate(invalid="ignore"):
            return (of_cell - expected) / (most - expected)

    interval = percentiles(resampled(indices, len(labels))) if len(labels) > 1 else None
    return Figure(adjusted_rand_score(labels, clusters), interval)


def _places(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Each value's place among all that there are, and how many these are."""
    there, places = np.unique(values, return_inverse=True)
    return places, len(there)


def _known(train: Codes, test: Codes) -> Codes:
    known = np.isin(test.labels, train.labels)
    return Codes(test.codes[known], test.labels[known])
