"""Silero VAD (MIT licence) as an anchor for ours: its 16 kHz network in PyTorch, from the weights
file that its authors publish as safetensors. Used by fit_vad.py eval; no part of the product."""

import json
import struct

import numpy as np
import torch
from torch.nn import functional

CHUNK = 512
CONTEXT = 64
HOP = 160


def read_safetensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + size + begin:8 + size + end], "<f4")
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def spectra(weights, samples):
    """Encoder: float32[chunks, 512] to float32[chunks, 128]; each chunk sees 64 samples before."""
    context = torch.cat([torch.zeros(1, CONTEXT), samples[:-1, -CONTEXT:]])
    x = torch.cat([context, samples], 1).unsqueeze(1)
    x = functional.pad(x, (0, 64), mode="reflect")
    x = functional.conv1d(x, weights["stft_conv.weight"], stride=128)
    x = torch.sqrt(x[:, :129] ** 2 + x[:, 129:] ** 2)
    for layer, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
        x = functional.relu(functional.conv1d(
            x, weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"],
            stride=stride, padding=1))
    return x[:, :, 0]


def probabilities(path, pcm):
    """float32[blocks of 10 ms] for int16[samples]: each block has the value of its chunk."""
    weights = read_safetensors(path)
    count = len(pcm) // CHUNK
    samples = torch.from_numpy(pcm[:count * CHUNK].astype(np.float32) / 32768).reshape(-1, CHUNK)
    cell = torch.nn.LSTMCell(128, 128)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(weights["lstm_cell." + name])
        encoded = torch.cat([spectra(weights, samples[k:k + 500] if k == 0 else
                                     samples[k - 1:k + 500])[0 if k == 0 else 1:]
                             for k in range(0, count, 500)])
        state = None
        hidden = []
        for row in encoded:
            state = cell(row.unsqueeze(0), state)
            hidden.append(state[0][0])
        x = functional.relu(torch.stack(hidden))
        logits = x @ weights["final_conv.weight"][0, :, 0] + weights["final_conv.bias"]
        chunk_values = torch.sigmoid(logits).numpy()
    middles = (np.arange(len(pcm) // HOP) * HOP + HOP // 2) // CHUNK
    return chunk_values[np.minimum(middles, count - 1)]
