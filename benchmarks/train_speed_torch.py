"""PyTorch's side of benchmarks/train_speed.py, which starts it: the same networks and a plain training loop. Needs torch alone.

    PYTHON benchmarks/train_speed_torch.py MODEL ARRAYS.npz BATCH RATE

For each line on standard input, a number of epochs, it trains so many and prints [[wall seconds, CPU seconds], ...] as JSON.
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


def epoch(model, optimizer, images, labels, batch):
    """One pass in a new order."""
    order = torch.randperm(len(images))
    for start in range(0, len(images), batch):
        rows = order[start : start + batch]
        optimizer.zero_grad()
        logits = model(images[rows])
        loss = F.cross_entropy(logits, labels[rows])
        loss.backward()
        optimizer.step()


def main():
    name, file, batch, rate = sys.argv[1:]
    arrays = np.load(file)
    images = torch.from_numpy(arrays["images"].astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(arrays["labels"])
    layers = {"lenet5": lenet5, "resnet20": resnet20}[name](images.shape[2], images.shape[1])
    model = nn.Sequential(Unit(), *layers).train()
    optimizer = torch.optim.Adam(model.parameters(), float(rate))
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            wall, cpu = time.perf_counter(), time.process_time()
            epoch(model, optimizer, images, labels, int(batch))
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
