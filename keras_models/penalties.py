"""What makes a code sparse. Each takes codes float32 (batch, k) and gives what is minimised: float32 (batch,), or one number."""

import math
from dataclasses import dataclass

from keras import ops

from keras_models import probabilities


def l1(codes):
    """sum_j |h_j|, of each image: Olshausen & Field 1996, Nature 381, p. 608, S(x) = |x|."""
    return ops.sum(ops.abs(codes), axis=-1)


def log(codes):
    """sum_j log(1 + h_j^2), of each image: Olshausen & Field 1996, as above, S(x) = log(1 + x^2); the prior is Cauchy's."""
    return ops.sum(ops.log1p(ops.square(codes)), axis=-1)


@dataclass(frozen=True)
class Divergence:
    """sum_j KL(rate || m_j), m_j the mean of unit j over the batch: Lee, Ekanadham & Ng 2008, "Sparse deep belief net model for
    visual area V2", NeurIPS, section 3.1, in the form of Ng 2011, "Sparse autoencoder", CS294A, section 3.

    KL(r || m) = r log(r / m) + (1 - r) log((1 - r) / (1 - m)), of units within [0, 1]. The mean is the batch's, so batches must be
    large enough for a unit to be on in some of their images. Of the output of a sigmoid it is taken of the logits: a unit that is
    off, or on, in all of them still learns.
    """

    rate: float

    def __call__(self, codes):
        on, off = _log_means(codes)
        return ops.sum(self.rate * (math.log(self.rate) - on) + (1 - self.rate) * (math.log1p(-self.rate) - off))


def _log_means(codes):
    """log m_j and log(1 - m_j), (k,) each."""
    logits = probabilities.logits(codes)
    if logits is None:
        means = ops.mean(codes, axis=0)
        return probabilities.log(means), probabilities.log(1 - means)
    many = ops.log(ops.cast(ops.shape(logits)[0], logits.dtype))
    return tuple(ops.logsumexp(ops.log_sigmoid(sign * logits), axis=0) - many for sign in (1, -1))
