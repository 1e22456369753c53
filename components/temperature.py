"""One temperature for all logits, by which a classifier is as sure as it is right: Guo et al. 2017, "On calibration of modern
neural networks", ICML, section 4.2. No answer changes."""

import numpy as np

RANGE = (0.05, 20.0)  # of temperatures that are looked among
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)  # what a served probability of 0 is taken for


def fit(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """T of the least cross-entropy of softmax(logits / T), in RANGE. At an end of it where nothing holds it back: of images that
    are all right, the colder the better.

    Args:
        labels: int64 [N]; of images that nothing was trained on, such as validation's.
        probabilities: float [N, K]. Their logarithms are logits but for a constant of each image, which a softmax does not see.
    """
    from scipy import optimize, special

    logits, rows = _logits(probabilities), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(special.log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean())

    least = optimize.minimize_scalar(loss, bounds=np.log(RANGE), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(least.x))


def held_by_nothing(value: float) -> str:
    """Why a temperature is one that only the range held, in words about images; "" where it is not."""
    coldest, warmest = np.isclose(value, RANGE, rtol=1e-3)
    return "too few of them are wrong" if coldest else "how sure it is says nothing of them" if warmest else ""


def at(probabilities: np.ndarray, value: float) -> np.ndarray:
    """float64 [N, K]: what a model would answer with its logits divided by `value`."""
    from scipy import special

    return special.softmax(_logits(probabilities) / value, axis=1)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), LEAST_PROBABILITY))
