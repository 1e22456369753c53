"""PyTorch's side of benchmarks/train_speed.py and autoencoder_speed.py, which start it: the same networks, a plain training loop.

Needs torch alone.

    PYTHON benchmarks/train_speed_torch.py MODEL ARRAYS.npz BATCH RATE

It prints how many parameters there are. For each line on standard input, a number of epochs, it then trains so many and prints
[[wall seconds, CPU seconds], ...] as JSON.
"""

import itertools
import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    """Pixels in 0..255 to 0..1."""

    def forward(self, images):
        return images / 255


class Block(nn.Module):
    """Two 3x3 convolutions with batch normalisation; shortcut A: every other pixel, maps of zeros."""

    def __init__(self, before, maps):
        super().__init__()
        self.stride, self.more = (1, 0) if before == maps else (2, maps - before)
        self.conv1, self.norm1 = nn.Conv2d(before, maps, 3, self.stride, 1, bias=False), nn.BatchNorm2d(maps)
        self.conv2, self.norm2 = nn.Conv2d(maps, maps, 3, 1, 1, bias=False), nn.BatchNorm2d(maps)

    def forward(self, x):
        way = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(x)) + way)


def lenet5(side, channels):
    """keras_models.classifiers.lenet.lenet5."""
    left = ((side - 4) // 2 - 4) // 2
    return [
        *(nn.Conv2d(channels, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(16 * left * left, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    ]


def resnet20(side, channels):
    """keras_models.classifiers.resnet.resnet_cifar of depth 20."""
    maps = [16] * 4 + [32] * 3 + [64] * 3
    blocks = [Block(before, after) for before, after in itertools.pairwise(maps)]
    stem = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return [*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]


def conv_autoencoder(side, channels):
    """keras_models.autoencoders.convolutional.conv_autoencoder; sides are a multiple of 4."""
    left = side // 4
    return [
        *(nn.Conv2d(channels, 16, 3, 2, 1), nn.ELU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ELU(), nn.Flatten()),
        *(nn.Linear(32 * left * left, 32), nn.Linear(32, 32 * left * left), nn.ELU(), nn.Unflatten(1, (32, left, left))),
        *(nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ELU(), nn.ConvTranspose2d(16, 16, 3, 2, 1, 1), nn.ELU()),
        *(nn.Conv2d(16, channels, 3, 1, 1), nn.Sigmoid()),
    ]


class Variational(nn.Module):
    """keras_models.autoencoders.variational.vae: gives the image and the divergence of its code."""

    def __init__(self, side, channels, hidden=500, code=20):
        super().__init__()
        values = side * side * channels
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(values, hidden), nn.Tanh(), nn.Linear(hidden, 2 * code))
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.Tanh(), nn.Linear(hidden, values), nn.Sigmoid())
        self.shape = (channels, side, side)

    def forward(self, images):
        mean, log_variance = self.encoder(images).chunk(2, 1)
        drawn = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
        return self.decoder(drawn).unflatten(1, self.shape), divergence


def vae(side, channels):
    """The network after its normalisation."""
    return [Variational(side, channels)]


def classes_loss(output, images, labels):
    """Cross-entropy of logits."""
    return F.cross_entropy(output, labels)


def image_loss(output, images, labels):
    """Mean squared error of pixels / 255."""
    return F.mse_loss(output, images / 255)


def bound_loss(output, images, labels):
    """Minus the ELBO, in the mean over images."""
    image, divergence = output
    return F.binary_cross_entropy(image, images / 255, reduction="sum") / len(images) + divergence.mean()


NETWORKS = {
    "lenet5": (lenet5, classes_loss),
    "resnet20": (resnet20, classes_loss),
    "conv_autoencoder": (conv_autoencoder, image_loss),
    "vae": (vae, bound_loss),
}


def epoch(model, measure, optimizer, images, labels, batch):
    """One pass in a new order."""
    order = torch.randperm(len(images))
    for start in range(0, len(images), batch):
        rows = order[start : start + batch]
        optimizer.zero_grad()
        loss = measure(model(images[rows]), images[rows], labels[rows])
        loss.backward()
        optimizer.step()


def main():
    name, file, batch, rate = sys.argv[1:]
    arrays = np.load(file)
    images = torch.from_numpy(arrays["images"].astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(arrays["labels"])
    layers, measure = NETWORKS[name]
    model = nn.Sequential(Unit(), *layers(images.shape[2], images.shape[1])).train()
    optimizer = torch.optim.Adam(model.parameters(), float(rate))
    print(sum(parameter.numel() for parameter in model.parameters()), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            wall, cpu = time.perf_counter(), time.process_time()
            epoch(model, measure, optimizer, images, labels, int(batch))
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
