"""What each kind of features made by hand is worth: a table for docs/filters.md.

    .venv/bin/python -m benchmarks.hand_made_features

Features of scikit-learn's 1,797 digits as the registered models compute them, classified by scikit-learn's logistic regression,
over five stratified splits, a fifth of the images for testing. Images are 8x8, or enlarged; pixels and features are standardised.
"""

import numpy as np

SPLITS = 5
STRENGTH = 1.0  # C of the regression
FLAT = 1e-3  # added to variances, as batch normalisation does: a value that is always the same stays small
FILTERS = ({"gaussian": {}}, {"sobel": {}}, {"oriented": {}}, {"match": {}}, {"vertical_line": {"length": 5}})
ROWS = (  # what it is, side of the images px, model, options
    ("pixels", 8, None, {}),
    *((next(iter(filters)), 8, "hand_made_filters", {"filters": [filters], "pool": 2}) for filters in FILTERS),
    ("all five filters", 8, "hand_made_filters", {"filters": FILTERS, "pool": 2}),
    ("hog, as scikit-image", 8, "hog", {"cell": 2, "interpolate": False}),
    ("hog", 8, "hog", {"cell": 2}),
    ("hog, as scikit-image", 32, "hog", {"cell": 8, "interpolate": False}),
    ("hog", 32, "hog", {"cell": 8}),
    ("hog, 18 signed orientations", 32, "hog", {"cell": 8, "signed": True, "orientations": 18}),
    ("dense SIFT, one descriptor", 32, "dense_sift", {"cell": 8}),
    ("dense SIFT, 25 descriptors", 32, "dense_sift", {"cell": 4}),
)


def main() -> None:
    """Print the table."""
    import tensorflow as tf
    from sklearn.datasets import load_digits

    digits = load_digits()
    print("| features | images | values | test accuracy | lowest and highest |\n|---|---|---|---|---|")
    for what, side, model, options in ROWS:
        images = np.rint(tf.image.resize(digits.images[..., None] / 16 * 255, (side, side)).numpy())
        values = features(images, model, options)
        scores = accuracies(values, digits.target)
        size, spread = f"{side}x{side} | {values.shape[1]:,}", f"{min(scores):.3f} to {max(scores):.3f}"
        print(f"| {what} | {size} | {np.mean(scores):.3f} | {spread} |", flush=True)


def features(images: np.ndarray, model: str | None, options: dict) -> np.ndarray:
    """float32 (batch, values) of pixels 0..255, as far as the classifier; flattened pixels without a model."""
    import keras

    from keras_models import build

    images = ((images - images.mean()) / images.std()).astype("float32")
    if model is None:
        return images.reshape(len(images), -1)
    whole = build(model, {"input_shape": images.shape[1:], "num_classes": 10}, options)
    return keras.Model(whole.input, whole.get_layer("flatten").output).predict(images, verbose=0)


def accuracies(values: np.ndarray, labels: np.ndarray) -> list[float]:
    """Of the test part of each split."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedShuffleSplit

    scores = []
    for train, test in StratifiedShuffleSplit(SPLITS, test_size=0.2, random_state=0).split(values, labels):
        mean, deviation = values[train].mean(0), np.sqrt(values[train].var(0) + FLAT)
        scaled = (values - mean) / deviation
        fitted = LogisticRegression(C=STRENGTH, max_iter=500).fit(scaled[train], labels[train])
        scores.append(float(fitted.score(scaled[test], labels[test])))
    return scores


if __name__ == "__main__":
    main()
