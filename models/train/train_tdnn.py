#!/usr/bin/python3
"""Trains the speaker embedding network: ./train_tdnn.py DATA WEIGHTS [--minutes 30].

A time-delay network with attentive statistics pooling and additive angular margin softmax (Deng et
al. 2019), on clips of the cache of speech_corpus.py that get new noise, babble, equaliser and masks
each time. Each speaker at each of three speeds is a class. The weights that are kept are a running
average (decay 0.998). One thread; seeds are fixed, the number of steps depends on the machine.
"""

import argparse
import copy
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import speech_corpus as corpus


class Block(nn.Module):
    def __init__(self, inputs, outputs, width, dilation=1, stride=1):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, width, stride, dilation * (width - 1) // 2, dilation)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return self.norm(functional.relu(self.conv(x)))


class Tdnn(nn.Module):
    """float32[n, 40, frames] normalised log-mel -> float32[n, 128]."""

    def __init__(self, channels=160, size=128):
        super().__init__()
        self.front = Block(corpus.MELS, channels, 5)
        self.halve = Block(channels, channels, 3, stride=2)
        self.residual = nn.ModuleList([Block(channels, channels, 3, d) for d in (1, 2, 3)])
        self.widen = Block(channels, 2 * channels, 1)
        self.attend = nn.Conv1d(2 * channels, 64, 1)
        self.weigh = nn.Conv1d(64, 2 * channels, 1)
        self.pooled = nn.BatchNorm1d(4 * channels)
        self.project = nn.Linear(4 * channels, size)
        self.out = nn.BatchNorm1d(size)

    def forward(self, x):
        x = self.halve(self.front(x))
        for block in self.residual:
            x = x + block(x)
        x = self.widen(x)
        weights = torch.softmax(self.weigh(torch.tanh(self.attend(x))), 2)
        mean = (weights * x).sum(2)
        deviation = ((weights * x * x).sum(2) - mean * mean).clamp(min=1e-4).sqrt()
        return self.out(self.project(self.pooled(torch.cat([mean, deviation], 1))))


class AngularMargin(nn.Module):
    def __init__(self, size, classes, scale=30.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, size) * 0.1)
        self.scale = scale

    def forward(self, x, label, margin):
        cosine = functional.linear(functional.normalize(x), functional.normalize(self.weight))
        cosine = cosine.clamp(-0.9999, 0.9999)
        own = cosine.gather(1, label[:, None])
        moved = torch.cos(torch.acos(own) + margin)
        moved = torch.where(own > -np.cos(margin), moved, own - 0.2 * margin)
        logits = self.scale * cosine.scatter(1, label[:, None], moved)
        return functional.cross_entropy(logits, label), (cosine.argmax(1) == label).float().mean()


class Batches:
    def __init__(self, cache, seed):
        self.rng = np.random.default_rng(seed)
        self.features = np.load(f"{cache}.npy")
        self.noise = 10 ** (np.load(f"{cache}.noise.npy").astype(np.float32) / 10)
        clips = {}
        for speaker, speed, _, first, end in json.loads(pathlib.Path(f"{cache}.json").read_text()):
            clips.setdefault((speaker, speed), []).append((first, end))
        self.clips = [clips[key] for key in sorted(clips)]
        dry = [a for variants in self.clips for a in variants[:1]]
        sample = [self.features[a:b].astype(np.float32) for a, b in dry]
        self.mean = np.concatenate([corpus.loudness_normalised(s) for s in sample]).mean(0)

    def crop(self, label, frames):
        first, end = self.clips[label][self.rng.integers(len(self.clips[label]))]
        if end - first <= frames:
            return np.resize(self.features[first:end], (frames, corpus.MELS))
        start = first + self.rng.integers(end - first - frames)
        return self.features[start : start + frames]

    def next(self, count, frames):
        rng = self.rng
        labels = rng.integers(len(self.clips), size=count)
        x = np.stack([self.crop(label, frames) for label in labels]).astype(np.float32)
        power = 10 ** (x / 10)
        bands = np.arange(corpus.MELS)
        for i in range(count):
            if rng.random() < 0.7:
                tilt = np.interp(bands, [0, 9, 19, 29, 39], rng.uniform(-6, 6, 5))
                power[i] *= (10 ** (tilt / 10)).astype(np.float32)
            kind = rng.random()
            if kind < 0.15:
                continue
            if kind < 0.35:
                others = rng.integers(count, size=rng.integers(1, 5))
                added = (10 ** (x[others] / 10)).sum(0)
            else:
                start = rng.integers(len(self.noise) - frames)
                added = self.noise[start : start + frames]
                if kind < 0.7:
                    tilt = np.interp(bands, [0, 13, 26, 39], rng.uniform(-6, 6, 4))
                    added = added * (10 ** (tilt / 10)).astype(np.float32)
            snr = 10 ** (-rng.uniform(3, 25) / 10)
            power[i] += added * (power[i].sum() / (added.sum() + 1e-12) * snr)
        x = (corpus.loudness_normalised(10 * np.log10(power + 1e-10)) - self.mean) / 10
        for i in range(count):
            if rng.random() < 0.5:
                width = rng.integers(1, 7)
                start = rng.integers(corpus.MELS - width)
                x[i, :, start : start + width] = 0
            if rng.random() < 0.3:
                width = rng.integers(3, 15)
                start = rng.integers(frames - width)
                x[i, start : start + width] = 0
        x = np.ascontiguousarray(x.transpose(0, 2, 1), np.float32)
        return torch.from_numpy(x), torch.from_numpy(labels)


def embedder(net, mean):
    def embed(clips):
        net.eval()
        x = np.stack([(corpus.loudness_normalised(c) - mean) / 10 for c in clips])
        x = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 2, 1), np.float32))
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(64)]).numpy()

    return embed


def train(options):
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    batches = Batches(options.cache, options.seed)
    net = Tdnn()
    head = AngularMargin(128, len(batches.clips))
    if options.initial:
        saved = torch.load(options.initial)
        net.load_state_dict(saved["net"])
        head.load_state_dict(saved["head"])
    average = copy.deepcopy(net)
    parameters = [*net.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=1e-2)
    started, reported, step, history = time.time(), time.time(), 0, []
    while True:
        done = (time.time() - started) / (60 * options.minutes)
        if done >= 1:
            break
        rate = options.rate * min(1, step / 200 + 0.02) * (0.5 * (1 + np.cos(np.pi * done)) + 0.005)
        margin = 0.2 * float(np.clip((done - 0.1) / 0.3, 0, 1)) if not options.initial else 0.2
        for group in optimiser.param_groups:
            group["lr"] = rate
        net.train()
        x, label = batches.next(options.batch, int(batches.rng.integers(100, 240)))
        loss, right = head(net(x), label, margin)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        step += 1
        decay = min(0.998, 1 - 1 / (1 + step / 10))
        with torch.no_grad():
            for kept, new in zip(average.state_dict().values(), net.state_dict().values()):
                kept.copy_(new if kept.dtype == torch.int64 else decay * kept + (1 - decay) * new)
        history.append((loss.item(), right.item()))
        if time.time() - reported > 150:
            reported = time.time()
            print(f"{step} steps {reported - started:.0f} s", np.mean(history[-50:], 0), flush=True)
            torch.save({"net": average.state_dict(), "head": head.state_dict(), "mean": batches.mean}, options.checkpoint)
    torch.save({"net": average.state_dict(), "head": head.state_dict(), "mean": batches.mean}, options.checkpoint)
    print(f"{step} steps", np.mean(history[-50:], 0))
    if options.dev:
        print("EER", corpus.verification_eer(options.dev, embedder(average, batches.mean)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of training clips with list.json")
    parser.add_argument("--checkpoint", default="tdnn.pt", help="where to save, during training too")
    parser.add_argument("--cache", default="features", help="feature cache, made when absent")
    parser.add_argument("--dev", help="verification folder; its EER is printed at the end")
    parser.add_argument("--initial", help="checkpoint to start from")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    corpus.build_cache(options.data, options.cache)
    train(options)


if __name__ == "__main__":
    main()
