#!/usr/bin/python3
"""Packs the trained parts into one weight file: ./pack_speaker.py tdnn.pt stats.npz OUT.safetensors.

Normalisations around the last linear layer are folded into it; all values are rounded to float16.
With --golden FILE also writes inputs and outputs of the packed model, for the parity test.
"""

import argparse
import json
import pathlib
import struct

import numpy as np
import torch

import speech_corpus as corpus
import train_stats
from train_tdnn import Tdnn

# Fitted on the dev meetings for these weights; a threshold does not survive a change of weights.
METADATA = {
    "format": "qylon-speaker-1",
    "front_end": "mel40-db",
    "front_end_note": "16 kHz, pre-emphasis 0.97, rectangular 25 ms every 10 ms, FFT 512, 40 mel bands, 10 log10",
    "corpora": "LibriSpeech train-clean-100 (190 speakers, CC BY 4.0)",
    "statistics_weight": "0.6",
    "voice_share": "0.45",
    "window_share": "0.22",
    "dimensions": "100",
}


def scale_and_shift(norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def tensors(checkpoint, statistics):
    net = Tdnn()
    net.load_state_dict(checkpoint["net"])
    net.eval()
    out = {"mean": torch.as_tensor(checkpoint["mean"])}
    blocks = {"front": net.front, "halve": net.halve, "widen": net.widen}
    blocks |= {f"residual.{i}": block for i, block in enumerate(net.residual)}
    for name, block in blocks.items():
        out[f"{name}.weight"], out[f"{name}.bias"] = block.conv.weight, block.conv.bias
        out[f"{name}.scale"], out[f"{name}.shift"] = scale_and_shift(block.norm)
    for name, layer in (("attend", net.attend), ("weigh", net.weigh)):
        out[f"{name}.weight"], out[f"{name}.bias"] = layer.weight[:, :, 0], layer.bias
    scale_in, shift_in = scale_and_shift(net.pooled)
    scale_out, shift_out = scale_and_shift(net.out)
    weight = net.project.weight
    out["project.weight"] = scale_out[:, None] * weight * scale_in
    out["project.bias"] = scale_out * (weight @ shift_in + net.project.bias) + shift_out
    out["statistics.mean"] = torch.as_tensor(statistics["mean"])
    out["statistics.project"] = torch.as_tensor(statistics["project"]).T
    return {name: value.detach().numpy() for name, value in out.items()}


def write_safetensors(path, arrays, metadata, kind="<f2"):
    header, blob = {"__metadata__": metadata}, b""
    for name, array in sorted(arrays.items()):
        data = np.ascontiguousarray(array, kind).tobytes()
        entry = {"dtype": "F16" if kind == "<f2" else "F32", "shape": list(array.shape)}
        header[name] = entry | {"data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + blob)


def forward(arrays, mel_db, statistics_weight):
    """The packed model, written down once more with torch's layers: float32[frames, 40] -> unit vector."""
    p = {name: torch.from_numpy(np.asarray(a, "<f2").astype(np.float32)) for name, a in arrays.items()}
    x = torch.from_numpy((corpus.loudness_normalised(mel_db) - p["mean"].numpy()) / 10).T[None]

    def block(name, x, dilation=1, stride=1):
        width = p[f"{name}.weight"].shape[2]
        y = torch.conv1d(x, p[f"{name}.weight"], p[f"{name}.bias"], stride, dilation * (width - 1) // 2, dilation)
        return torch.relu(y) * p[f"{name}.scale"][:, None] + p[f"{name}.shift"][:, None]

    x = block("halve", block("front", x), stride=2)
    for i in range(3):
        x = x + block(f"residual.{i}", x, dilation=i + 1)
    x = block("widen", x)[0]
    attention = torch.tanh(p["attend.weight"] @ x + p["attend.bias"][:, None])
    weights = torch.softmax(p["weigh.weight"] @ attention + p["weigh.bias"][:, None], 1)
    mean = (weights * x).sum(1)
    deviation = ((weights * x * x).sum(1) - mean * mean).clamp(min=1e-4).sqrt()
    network = (p["project.weight"] @ torch.cat([mean, deviation]) + p["project.bias"]).numpy()
    spread = train_stats.statistics(mel_db) - p["statistics.mean"].numpy()
    statistics = p["statistics.project"].numpy() @ spread
    whole = np.concatenate([network / np.linalg.norm(network), statistics_weight * statistics / np.linalg.norm(statistics)])
    return (whole / np.linalg.norm(whole)).astype(np.float32)


def cohort(arrays, cache, statistics_weight):
    """How the training speakers sound to the model: float32[speakers, size], unit length. For each the
    mean over his wide-band variants of the middle 2 s."""
    features = np.load(f"{cache}.npy", mmap_mode="r")
    parts = {}
    for speaker, speed, variant, first, end in json.loads(pathlib.Path(f"{cache}.json").read_text()):
        if speed == 0 and variant != "telephone":
            start = first + max(0, (end - first - 200) // 2)
            clip = features[start : min(start + 200, end)].astype(np.float32)
            parts.setdefault(speaker, []).append(forward(arrays, clip, statistics_weight))
    means = np.stack([np.mean(parts[speaker], 0) for speaker in sorted(parts)])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def golden(arrays, statistics_weight):
    """Smooth random spectra: 40 values would be too little like speech, real speech is not ours to ship."""
    rng = np.random.default_rng(0)
    out = {}
    for frames in (20, 61, 150):
        walk = np.cumsum(rng.standard_normal((frames, corpus.MELS)), 0) + np.cumsum(rng.standard_normal((1, corpus.MELS)), 1)
        mel_db = (-40 + 2 * walk).astype("<f2").astype(np.float32)
        out[f"mel.{frames}"] = mel_db
        out[f"embedding.{frames}"] = forward(arrays, mel_db, statistics_weight)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("statistics")
    parser.add_argument("out")
    parser.add_argument("--cache", default="features", help="feature cache of the training")
    parser.add_argument("--name", default="tdnn-stats-1")
    parser.add_argument("--golden")
    parser.add_argument("--dev", help="verification folder; the packed model's EER is printed")
    options = parser.parse_args()
    arrays = tensors(torch.load(options.checkpoint), np.load(options.statistics))
    weight = float(METADATA["statistics_weight"])
    others = {"cohort": cohort(arrays, options.cache, weight)}
    write_safetensors(options.out, arrays | others, METADATA | {"name": options.name})
    if options.golden:
        write_safetensors(options.golden, golden(arrays, weight), {}, "<f4")
    if options.dev:
        embed = lambda clips: np.stack([forward(arrays, clip, weight) for clip in clips])
        print("EER", corpus.verification_eer(options.dev, embed))


if __name__ == "__main__":
    main()
