"""What makes a code sparse. Each takes codes float32 (batch, k) and gives what is minimised: float32 (batch,), or one number."""

from dataclasses import dataclass

from keras import ops

EPSILON = 1e-6  # of a mean activity: a unit that is always off, or on, costs no infinity


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
    large enough for a unit to be on in some of their images.
    """

    rate: float

    def __call__(self, codes):
        means = ops.clip(ops.mean(codes, axis=0), EPSILON, 1 - EPSILON)
        on = self.rate * ops.log(self.rate / means)
        return ops.sum(on + (1 - self.rate) * ops.log((1 - self.rate) / (1 - means)))
