"""Activation maximisation: an image made to excite a unit. Erhan, Bengio, Courville & Vincent 2009; regularised as Yosinski,
Clune, Nguyen, Fuchs & Lipson 2015, "Understanding neural networks through deep visualization", ICML workshop, section 3 (L2
decay, blur), and Olah, Mordvintsev & Schubert 2017, "Feature visualization", Distill, doi:10.23915/distill.00007 (jitter, total
variation, a decorrelated Fourier parametrisation).

The image is mid-grey plus v, and clipped to 0..255. Descended is, in steps of Adam,

    - <g, v> + l2 / 2 |v|^2 + tv TV(v),    g the gradient of the unit's value, scaled to a root mean square of 1,

so that a rate suits any network; of a linear unit and without TV the least is v = g / l2, the direction of its weights,
whatever the parametrisation. In the Fourier one v is the inverse transform of a spectrum times 1 / frequency, as in natural
images: steps of equal size are then large in low frequencies. Of a layer of maps the unit is its value in the middle, or
anywhere with "largest".
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from keras_models.explain.base import MOST, Answer, Asked, Strip, Tile, Unsuited
from keras_models.explain.network import Network, Target, scores

ORDER = 31
TITLE = "Activation maximisation"
PAPER = "Yosinski et al. 2015; Olah, Mordvintsev & Schubert 2017"
TELLS = (
    "An image that the network would take for the best there could be of a class or a unit: what it looks for, free of any data."
)
HIDES = "Whether such images exist: with little regularisation it is noise that this network likes, with much it is drawn by that."
NEEDS = frozenset()
GREY = 127.5


@dataclass(frozen=True)
class Regularisation:
    """steps: of Adam. rate: of a step, px steps. l2: pull to grey; the root mean square of v tends to 1 / l2. tv: weight of
    total variation. jitter: px by which the image is moved at random in each step, at most. blur: deviation, px, of a Gaussian
    applied every `every` steps. fourier: whether v is parametrised by its decorrelated spectrum. start: deviation of the random
    image at first."""

    steps: int = 200
    rate: float = 4.0
    l2: float = 0.008
    tv: float = 0.1
    jitter: int = 1
    blur: float = 0.5
    every: int = 8
    fourier: bool = True
    start: float = 8.0


DEFAULT = Regularisation()


def maximise(network: Network, target: Target, how: Regularisation = DEFAULT, seed: int = 0) -> np.ndarray:
    """An image for each unit of the target, float32 [N, height, width, channels], 0..255.

    Raises:
        Unsuited: where no gradient comes back.
    """
    draw, shape = np.random.default_rng(seed), (len(target.units), *network.shape)
    spectrum = _Spectrum(shape) if how.fourier else _Pixels(shape)
    variable = keras.Variable(spectrum.random(draw, how.start), dtype="float32")
    optimizer = keras.optimizers.Adam(how.rate * spectrum.unit, beta_1=0.9, beta_2=0.99)
    optimizer.build([variable])

    @tf.function(autograph=False)  # 160 steps of a small network are a hundred times its trace
    def take(by):
        with tf.GradientTape() as tape:
            seen = tf.roll(tf.clip_by_value(GREY + spectrum.image(variable.value), 0.0, 255.0), by, [1, 2])
            tape.watch(seen)
            value = target.of(network.run(seen))
        pull = tape.gradient(value, seen)
        if pull is None:
            raise Unsuited(
                f"No gradient passes from {network.short(target.path)} of {network.model.name} back to the image.",
                "What excites a unit shows images of the data instead.",
            )
        pull = tf.roll(pull, -by, [1, 2])
        pull = pull / (tf.sqrt(tf.reduce_mean(tf.square(pull), [1, 2, 3], keepdims=True)) + 1e-12)
        with tf.GradientTape() as tape:
            v = spectrum.image(variable.value)
            size, rough = tf.reduce_sum(tf.square(v)), tf.reduce_sum(tf.image.total_variation(v))
            loss = -tf.reduce_sum(pull * v) + how.l2 / 2 * size + how.tv * rough
        optimizer.apply([tape.gradient(loss, variable.value)], [variable])

    for step in range(how.steps):
        take(tf.constant(draw.integers(-how.jitter, how.jitter + 1, 2), tf.int32))
        if how.blur and step % how.every == how.every - 1:
            variable.assign(spectrum.blurred(variable.value, how.blur))
    return np.clip(GREY + spectrum.image(variable.value).numpy(), 0, 255)


class _Pixels:
    """v itself."""

    unit = 1.0

    def __init__(self, shape):
        self.shape = shape

    def random(self, draw, deviation):
        return draw.normal(0, deviation, self.shape)

    def image(self, values):
        return tf.convert_to_tensor(values)

    def blurred(self, values, sigma):
        from scipy import ndimage

        return ndimage.gaussian_filter(np.asarray(values), (0, sigma, sigma, 0), mode="nearest")


class _Spectrum:
    """Real and imaginary part, [2, N, channels, height, width // 2 + 1], of v's spectrum times frequency."""

    def __init__(self, shape):
        many, height, width, channels = self.shape = shape
        self.frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]).astype("float32")
        scale = 1 / np.maximum(self.frequency, 1 / max(height, width))
        self.scale = scale * np.sqrt(height * width / np.square(scale).mean())
        self.unit = 1.0 / np.sqrt(height * width)
        self.values = (2, many, channels, *self.frequency.shape)

    def random(self, draw, deviation):
        return draw.normal(0, deviation * self.unit, self.values)

    def image(self, values):
        values = tf.convert_to_tensor(values) * self.scale
        pixels = tf.signal.irfft2d(tf.complex(values[0], values[1]), self.shape[1:3])
        return tf.transpose(pixels, [0, 2, 3, 1]) * np.float32(np.sqrt(self.shape[1] * self.shape[2]))

    def blurred(self, values, sigma):
        return tf.convert_to_tensor(values) * np.exp(-2 * np.square(np.pi * sigma * self.frequency))


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited for a network of maps alone, where no layer is named."""
    own = network.output if network.is_classifier else network.narrowest()
    if not asked.layer and not own:
        raise Unsuited(f"{network.model.name} has no classes or code to make an image for.", "Name a layer: --layer LAYER.")
    path = network.find(asked.layer) if asked.layer else own
    total = network.parts[path].units
    units = [network.check_unit(path, asked.unit)] if asked.unit is not None else list(range(min(total, MOST)))
    target = Target(path, np.array(units), "centre")
    made = maximise(network, target, DEFAULT, asked.seed)
    reached = scores(network, made, target)
    grey = scores(network, np.full_like(made, GREY), target)
    best = [None] * len(units)
    if asked.many is not None and len(asked.many):
        values = network.values(asked.many, [path])[path]
        flat = values.reshape(-1, values.shape[-1])
        best = [float(flat[:, unit].max()) for unit in units]
    called = [asked.name_of(network, path, unit) for unit in units]
    figures = [
        {"unit": name, "reached": float(value), "of grey": float(before), "most in the data": most}
        for name, value, before, most in zip(called, reached, grey, best, strict=True)
    ]
    how = DEFAULT
    notes = [
        f"{how.steps} steps of {how.rate:g}, L2 {how.l2:g}, total variation {how.tv:g}, jitter {how.jitter} px, "
        f"blur {how.blur:g} px every {how.every} steps, from random noise in a decorrelated Fourier basis, seed {asked.seed}."
    ]
    if network.parts[path].has_maps:
        notes.append("Of a layer of maps, the unit in the middle: only what it sees of the image is made.")
    if asked.unit is None and total > len(units):
        notes.append(f"The first {len(units)} of {network.short(path)}'s {total} units; --unit shows any.")
    return Answer([Strip(network.short(path), [Tile(n, made[i][None], "pixels") for i, n in enumerate(called)])], figures, notes)
