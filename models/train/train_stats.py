#!/usr/bin/python3
"""Trains the statistics part of the speaker model: ./train_stats.py DATA [--out stats.npz].

Mean and deviation of 20 mel cepstra and deviation of their slopes over the louder three quarters of
the frames, projected by linear discriminant analysis (Fisher 1936) on augmented crops. Needs numpy
only; two minutes on one core once the feature cache is there. Seeds are fixed.
"""

import argparse
import json
import pathlib

import numpy as np

import speech_corpus as corpus

CEPSTRA = 20


def cosine_basis():
    """Orthonormal DCT-II: float64[20, 40]."""
    k, n = np.arange(CEPSTRA)[:, None], np.arange(corpus.MELS)
    basis = np.sqrt(2 / corpus.MELS) * np.cos(np.pi * k * (2 * n + 1) / (2 * corpus.MELS))
    basis[0] /= np.sqrt(2)
    return basis


BASIS = cosine_basis() * np.log(10) / 10  # From dB to cepstra of natural logarithms.


def statistics(mel_db):
    """float32[frames, 40] dB -> float64[59]."""
    cepstra = mel_db.astype(np.float64) @ BASIS.T
    padded = np.pad(cepstra, ((2, 2), (0, 0)), "edge")
    slope = (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10
    energy = mel_db.mean(1)
    loud = energy >= np.sort(energy)[len(energy) // 4]
    cepstra, slope = cepstra[loud], slope[loud]
    return np.concatenate([cepstra.mean(0)[1:], cepstra.std(0), slope.std(0)])


def discriminants(x, label, size):
    """Directions that separate the classes most, scaled to unit variance within a class."""
    mean = x.mean(0)
    centres = np.stack([x[label == c].mean(0) for c in range(label.max() + 1)])
    within = np.cov((x - centres[label]).T, bias=True)
    within += 1e-4 * np.trace(within) / len(within) * np.eye(len(within))
    between = np.cov(centres.T, bias=True)
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    _, turned = np.linalg.eigh(whiten.T @ between @ whiten)
    return mean, whiten @ turned[:, ::-1][:, :size]


def crops(cache, per_class, seed):
    rng = np.random.default_rng(seed)
    features = np.load(f"{cache}.npy", mmap_mode="r")
    noise = np.load(f"{cache}.noise.npy").astype(np.float32)
    clips = {}
    for speaker, speed, _, first, end in json.loads(pathlib.Path(f"{cache}.json").read_text()):
        clips.setdefault((speaker, speed), []).append((first, end))
    for label, key in enumerate(sorted(clips)):
        for _ in range(per_class):
            first, end = clips[key][rng.integers(len(clips[key]))]
            frames = min(int(rng.integers(150, 400)), end - first)
            start = first + rng.integers(end - first - frames + 1)
            mel_db = features[start : start + frames].astype(np.float32)
            mel_db += np.interp(np.arange(corpus.MELS), [0, 9, 19, 29, 39], rng.uniform(-4, 4, 5)).astype(np.float32)
            if rng.random() < 0.6:
                power, at = 10 ** (mel_db / 10), rng.integers(len(noise) - frames)
                added = 10 ** (noise[at : at + frames] / 10)
                added *= power.sum() / added.sum() * 10 ** (-rng.uniform(5, 25) / 10)
                mel_db = 10 * np.log10(power + added)
            yield label, statistics(mel_db)


def train(cache, size=40, per_class=20, seed=5):
    labels, rows = zip(*crops(cache, per_class, seed))
    return discriminants(np.stack(rows), np.array(labels), size)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of training clips with list.json")
    parser.add_argument("--cache", default="features", help="feature cache, made when absent")
    parser.add_argument("--out", default="stats.npz")
    parser.add_argument("--dev", help="verification folder; its EER is printed at the end")
    options = parser.parse_args()
    corpus.build_cache(options.data, options.cache)
    mean, project = train(options.cache)
    np.savez(options.out, mean=mean, project=project)
    if options.dev:
        embed = lambda clips: np.stack([(statistics(c) - mean) @ project for c in clips])
        print("EER", corpus.verification_eer(options.dev, embed))


if __name__ == "__main__":
    main()
