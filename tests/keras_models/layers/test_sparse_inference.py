"""Codes under a dictionary, beside scikit-learn's."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import sparse_encode
from sklearn.linear_model import Lasso

from keras_models.layers.gain import Gain
from keras_models.layers.sparse_inference import Dictionary, OptimalCode, SparseInference, cost, infer, largest
from tests.components import digits

RANDOM = np.random.default_rng(0)
ROWS = (digits.images()[0][:40].reshape(40, 64) / 255).astype("float32")
ROWS -= ROWS.mean(0)
BASIS = RANDOM.normal(size=(32, 64)).astype("float32")
BASIS /= np.linalg.norm(BASIS, axis=1, keepdims=True)


def objective(codes, penalty, sparsity="l1", scale=1.0, start=0.0, pull=0.0):
    codes = np.asarray(codes, np.float64)
    fit = np.square(ROWS[: len(codes)] - codes @ BASIS).sum(1) + pull * np.square(codes - start).sum(1)
    return fit + penalty * np.asarray(cost(codes, sparsity, scale))


@pytest.mark.parametrize("penalty", [0.05, 0.5])
def test_codes_are_those_of_scikit_learns_lasso(penalty):
    """Its squared error is halved, and Lasso's divided by the number of values besides."""
    codes = np.asarray(infer(ROWS, BASIS, penalty))
    theirs = sparse_encode(ROWS, BASIS, algorithm="lasso_cd", alpha=penalty / 2, max_iter=20_000)
    np.testing.assert_allclose(objective(codes, penalty), objective(theirs, penalty), rtol=1e-4)
    lasso = Lasso(penalty / 2 / 64, fit_intercept=False, tol=1e-10, max_iter=100_000)
    lasso.fit(BASIS.T.astype(float), ROWS[:5].T.astype(float))
    np.testing.assert_allclose(codes[:5], lasso.coef_, atol=1e-4)
    np.testing.assert_array_equal(codes[:5] == 0, lasso.coef_ == 0)


def test_a_code_does_not_depend_on_the_rest_of_its_batch():
    np.testing.assert_allclose(infer(ROWS[:3], BASIS, 0.3), infer(ROWS, BASIS, 0.3)[:3], atol=1e-5)


def test_a_pull_draws_codes_to_where_they_start():
    start = RANDOM.normal(size=(40, 32)).astype("float32")
    near, far = (np.asarray(infer(ROWS, BASIS, 0.3, start=start, pull=pull)) for pull in (100.0, 0.01))
    assert np.abs(near - start).max() < 0.1 < np.abs(far - start).max()
    joined = np.hstack([BASIS, np.eye(32)]), np.hstack([ROWS, start])  # |a - start|^2 as further values of each row
    theirs = sparse_encode(joined[1], joined[0], algorithm="lasso_cd", alpha=0.15, max_iter=20_000)
    np.testing.assert_allclose(infer(ROWS, BASIS, 0.3, start=start, pull=1.0), theirs, atol=5e-3)


def test_under_the_logarithm_every_step_lowers_the_objective_to_a_stationary_point():
    objectives = [objective(infer(ROWS, BASIS, 0.2, "log", 0.1, steps=steps), 0.2, "log", 0.1) for steps in (0, 1, 2, 5, 20, 500)]
    assert (np.diff(objectives, axis=0) < 1e-5).all()
    codes = np.asarray(infer(ROWS, BASIS, 0.2, "log", 0.1), np.float64)
    gradient = 2 * (codes @ BASIS - ROWS) @ BASIS.T + 0.2 * 2 * codes / (0.1**2 + codes**2)
    assert np.abs(gradient).max() < 1e-3


@pytest.mark.parametrize("atoms", [1, 32, 100])
def test_the_bound_is_above_the_largest_eigenvalue_and_near_it(atoms):
    basis = RANDOM.normal(size=(atoms, 64)).astype("float32")
    gram = basis @ basis.T
    exact = np.linalg.eigvalsh(gram.astype(float)).max()
    assert exact <= float(largest(gram)) * (1 + 1e-5) <= exact * atoms ** (1 / 32) * (1 + 2e-5)


def shared(path):
    """Encoder and decoder of one dictionary, in a file."""
    dictionary = Dictionary(6, (4, 4, 1))
    image, code = keras.Input((4, 4, 1)), keras.Input((6,))
    encoder = keras.Model(image, SparseInference(dictionary, 0.1, "log", 0.5, name="code")(image), name="encoder")
    decoder = keras.Model(code, dictionary(code), name="decoder")
    seen = keras.Input((4, 4, 1))
    keras.Model(seen, decoder(encoder(seen))).save(path)
    return keras.saving.load_model(path)


def test_encoder_and_decoder_still_share_their_dictionary_when_loaded(tmp_path):
    model = shared(tmp_path / "a.keras")
    inference = model.get_layer("encoder").get_layer("code")
    assert inference.dictionary is model.get_layer("decoder").get_layer("dictionary")
    assert (inference.penalty, inference.sparsity, inference.scale) == (0.1, "log", 0.5)
    assert len(model.weights) == 2


def test_the_decoder_adds_the_mean_and_its_rows_stay_within_one():
    dictionary = Dictionary(2, (2, 2, 1))
    dictionary.mean.assign([1, 2, 3, 4])
    dictionary.basis.assign([[1, 0, 0, 0], [0, 0, 0, 5]])
    np.testing.assert_allclose(np.ravel(dictionary(np.float32([[2, 1]]))), [3, 2, 3, 9])
    np.testing.assert_allclose(dictionary.centred(np.ones((1, 2, 2, 1), "float32")), [[0, -1, -2, -3]])
    np.testing.assert_allclose(np.linalg.norm(dictionary.basis.constraint(dictionary.basis), axis=1), 1, rtol=1e-5)


def test_a_decoder_is_given_the_optimal_code_in_training_and_the_prediction_otherwise():
    dictionary = Dictionary(6, (8, 8, 1))
    layer = OptimalCode(dictionary, 0.1, 1.0)
    images, predicted = ROWS[:4].reshape(4, 8, 8, 1), RANDOM.normal(size=(4, 6)).astype("float32")
    np.testing.assert_array_equal(layer([images, predicted]), predicted)
    expected = infer(ROWS[:4], dictionary.basis.numpy(), 0.1, start=predicted, pull=1.0)
    np.testing.assert_allclose(layer([images, predicted], training=True), expected, atol=2e-4)  # training stops at 1e-4


def test_a_gain_multiplies_each_number_by_its_own():
    layer = Gain()
    np.testing.assert_array_equal(layer(ROWS), ROWS)
    layer.gain.assign(np.arange(64))
    np.testing.assert_array_equal(layer(ROWS), ROWS * np.arange(64, dtype="float32"))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda d: SparseInference(d, 0.0), "penalty must be a number above 0; got 0.0"),
        (lambda d: SparseInference(d, 1, scale=-1), "scale must be a number above 0"),
        (lambda d: SparseInference(d, 1, "l2"), "sparsity must be l1 or log; got 'l2'"),
        (lambda d: OptimalCode(d, 1, 0), "pull must be a number above 0"),
        (lambda d: Dictionary(0, (4, 4, 1)), "atoms must be a whole number of at least 1; got 0"),
    ],
)
def test_what_they_refuse(build, said):
    with pytest.raises(ValueError, match=said):
        build(Dictionary(2, (4, 4, 1)))
