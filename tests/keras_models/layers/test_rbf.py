"""RBF units with fixed codes, against NumPy."""

import numpy as np

from keras_models.layers.rbf import SignCodeRBF, sign_codes


def test_against_numpy():
    x = np.random.default_rng(0).normal(size=(3, 84)).astype("float32")
    layer = SignCodeRBF(10)
    out = layer(x)
    codes = layer.get_weights()[0]
    expected = [[-sum((x[n, j] - codes[i, j]) ** 2 for j in range(84)) for i in range(10)] for n in range(3)]
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    assert layer.compute_output_shape((None, 84)) == (None, 10)
    assert layer.trainable_variables == []


def test_a_code_is_its_own_nearest():
    codes = sign_codes(10, 84, 1998)
    out = np.asarray(SignCodeRBF(10)(codes))
    np.testing.assert_array_equal(out.argmax(1), np.arange(10))
    np.testing.assert_array_equal(out.max(1), 0)


def test_codes_are_the_stated_ones():
    codes = sign_codes(10, 84, 1998)
    assert set(np.unique(codes)) == {-1, 1}
    assert codes[0, :12].tolist() == [-1, 1, 1, -1, 1, -1, -1, -1, 1, 1, 1, -1]
    np.testing.assert_array_equal(sign_codes(1000, 84, 1998)[:10], codes)


def test_codes_stay_apart():
    for units, least in ((10, 31), (1000, 19)):
        codes = sign_codes(units, 84, 1998)
        differ = (84 - codes @ codes.T) / 2
        assert differ[~np.eye(units, dtype=bool)].min() == least


def test_config_is_complete():
    layer = SignCodeRBF(3, seed=5, name="logits")
    assert SignCodeRBF.from_config(layer.get_config()).get_config() == layer.get_config()
