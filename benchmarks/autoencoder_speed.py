"""Epochs a minute of autoencoders in Trainer's inner loop, beside Keras's and PyTorch's on arrays in memory.

    .venv/bin/python -m benchmarks.autoencoder_speed --data DIR [--torch-python PATH]

As benchmarks.train_speed, whose loops these are, with `vae` (784-500-20, Bernoulli) and `conv_autoencoder` (code of 32), on images
of 28x28 px.
"""

import sys

from benchmarks import train_speed

EPOCHS = {"vae": 6, "conv_autoencoder": 3}  # timed ones a round

if __name__ == "__main__":
    sys.exit(train_speed.main(EPOCHS, __doc__))
