"""A map of codes: a place in the plane for each."""

from typing import NamedTuple

import numpy as np

PERPLEXITY = 30.0


class Places(NamedTuple):
    """places: float [N, 2]. axes: what the two directions are. explained: share of the codes' variance that the map keeps; None
    where that means nothing."""

    places: np.ndarray
    axes: tuple[str, str]
    explained: float | None


def of_codes(codes: np.ndarray) -> Places:
    """Codes [N, k] as they are where they have two numbers, otherwise by their two principal components."""
    if codes.shape[1] == 2:
        return Places(codes.astype(np.float64), ("code 1", "code 2"), 1.0)
    return by_pca(codes)


def by_pca(codes: np.ndarray) -> Places:
    """Of [N, k]: along the two directions of largest variance."""
    from sklearn.decomposition import PCA

    wide = _wide(codes)
    with np.errstate(invalid="ignore"):  # codes that are all the same: scikit-learn divides by their variance
        places = PCA(2, svd_solver="full").fit_transform(wide)
    total = wide.var(axis=0).sum()
    explained = float(places.var(axis=0).sum() / total) if total else 1.0
    return Places(places, ("principal component 1", "principal component 2"), explained)


def by_tsne(codes: np.ndarray, seed: int) -> Places:
    """Of [N, k]: van der Maaten & Hinton 2008, from the principal components on, scikit-learn's."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(_wide(codes))
    return Places(places, ("t-SNE 1", "t-SNE 2"), None)


def _wide(codes: np.ndarray) -> np.ndarray:
    """With two numbers at least."""
    return np.pad(codes, ((0, 0), (0, max(0, 2 - codes.shape[1])))).astype(np.float64)
