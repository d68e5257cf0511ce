#!/usr/bin/python3
"""Fits the classifier of dsp/voice_activity.cpp and writes dsp/voice_activity_weights.inc.

  fit_vad.py fit  --data DIR --bench build/bench/bench/dsp_vad_bench --out WEIGHTS.inc
  fit_vad.py eval --data DIR --bench build/bench/bench/dsp_vad_bench [--silero WEIGHTS]

DIR holds train/list.json with one FLAC per speaker, and dev/meetings/*.opus with *.rttm. The fit
sees nothing of dev: it mixes minutes of conversation from the training speakers with rooms,
levels, noises and codecs drawn at random, labels every 10 ms from the dry voices, lets the bench
program compute the features (the product's own code), and trains a small gated recurrent network.
Needs Debian's python3-numpy, -scipy, -soundfile and -torch; about 15 minutes on one quiet core.
"""

import argparse
import io
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 16000
HOP = 160
MINUTE = 60 * RATE
FEATURES = 37
HIDDEN = 32
MINUTES = 400
HELD_OUT = 20
DELAY = 6  # dsp::VoiceActivity::kDelayBlocks: the network answers for a block that long ago.


# Speech and its labels


def speech_blocks(voice):
    """bool[blocks]: speech in dry recordings by energy, pauses under 0.25 s belong to it."""
    count = max(1, len(voice) // HOP)
    padded = np.pad(voice, (120, 400))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::HOP][:count]
    level = 10 * np.log10((frames**2).mean(1) + 1e-10)
    floor, peak = np.percentile(level, 5), np.percentile(level, 95)
    threshold = max(floor + 8, peak - 32) if peak - floor > 20 else (floor + peak) / 2
    active = np.convolve(level > threshold, np.ones(9), "same") > 0  # 40 ms before and after.
    quiet_from = None
    for block in range(count + 1):
        if block < count and not active[block]:
            quiet_from = block if quiet_from is None else quiet_from
        elif quiet_from is not None:
            if 0 < quiet_from and block < count and block - quiet_from < 25:
                active[quiet_from:block] = True
            quiet_from = None
    return active


def load_speakers(folder):
    speakers = {}
    for entry in json.loads((folder / "train/list.json").read_text()):
        path = folder / "train" / (entry["utt"] + ".flac")
        if not path.exists():
            continue
        voice, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE, path
        labels = speech_blocks(voice)
        voice = voice[: len(labels) * HOP]
        voice /= np.sqrt((voice[np.repeat(labels, HOP)] ** 2).mean()) + 1e-9
        speakers.setdefault(entry["spk"], []).append((voice, labels))
    return [speakers[name] for name in sorted(speakers)]


# Rooms and noises


def room_response(rng):
    """Decaying noise behind a direct path, as a room of 0.1 to 0.6 s answers."""
    decay = rng.uniform(0.1, 0.6)
    times = np.arange(int(decay * 1.1 * RATE)) / RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / decay)
    sparse = rng.random(len(times)) < np.minimum(1.0, times / 0.03 + 0.02)
    tail = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.6)], tail * sparse)
    tail[: int(0.002 * RATE)] = 0
    direct_to_reverb = rng.uniform(-6, 15)
    tail *= 10 ** (-direct_to_reverb / 20) / (np.sqrt((tail**2).sum()) + 1e-9)
    tail[0] = 1.0
    return tail / np.sqrt((tail**2).sum())


def unit(signal):
    return signal / (signal.std() + 1e-9)


def coloured(rng, count, slope=None):
    slope = rng.uniform(-0.3, 2.0) if slope is None else slope
    size = 1 << int(np.ceil(np.log2(count)))
    spectrum = rng.standard_normal(size // 2 + 1) + 1j * rng.standard_normal(size // 2 + 1)
    bins = np.maximum(np.arange(size // 2 + 1), 50 * size / RATE)
    return unit(np.fft.irfft(spectrum / bins ** (slope / 2), size)[:count])


def fan(rng, count):
    noise = coloured(rng, count)
    for _ in range(rng.integers(1, 5)):
        centre = rng.uniform(100, 4000)
        sos = butter(1, [centre * 0.97, centre * 1.03], "band", fs=RATE, output="sos")
        noise = noise + rng.uniform(0.3, 2) * unit(sosfilt(sos, rng.standard_normal(count)))
    return unit(noise)


def hum(rng, count):
    times = np.arange(count) / RATE
    base = rng.choice([50.0, 60.0, rng.uniform(80, 250)])
    tones = [rng.uniform(0, 1) / k * np.sin(2 * np.pi * k * base * times + rng.uniform(0, 6))
             for k in range(1, rng.integers(2, 20))]
    return unit(np.sum(tones, 0) + rng.uniform(0, 0.02) * rng.standard_normal(count))


def swelling(rng, count):
    points = rng.uniform(-12, 12, max(2, int(count / RATE / rng.uniform(0.1, 3))))
    gain = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(points)), points)
    return unit(coloured(rng, count) * 10 ** (gain / 20))


def babble(rng, count, speakers):
    total = np.zeros(count, np.float32)
    for _ in range(rng.integers(6, 14)):
        voice, _ = speakers[rng.integers(len(speakers))][0]
        start = rng.integers(len(voice))
        total += np.resize(np.roll(voice, -start), count)
    return unit(fftconvolve(total, room_response(rng))[:count])


def clicks(rng, count):
    total = np.zeros(count)
    rate = rng.uniform(0.5, 12)
    for at in np.cumsum(rng.exponential(RATE / rate, int(rate * count / RATE) + 1)).astype(int):
        length = int(rng.uniform(0.003, 0.08) * RATE)
        if at + length >= count:
            break
        envelope = np.exp(-np.arange(length) / (length / rng.uniform(2, 8)))
        centre = rng.uniform(150, 5000)
        ring = np.sin(2 * np.pi * centre * np.arange(length) / RATE + rng.uniform(0, 6))
        burst = rng.standard_normal(length) * rng.uniform(0, 1) + ring * rng.uniform(0, 1)
        total[at: at + length] += burst * envelope * rng.uniform(0.2, 1)
    return total / (np.abs(total).max() + 1e-9) * 3


def music(rng, count):
    total = np.zeros(count)
    at = 0
    while at < count:
        length = min(count - at, int(rng.uniform(0.1, 1.2) * RATE))
        times = np.arange(length) / RATE
        for _ in range(rng.integers(1, 4)):
            base = 55 * 2 ** (rng.integers(0, 48) / 12)
            for k in range(1, rng.integers(2, 10)):
                if k * base < 7500:
                    total[at: at + length] += (np.sin(2 * np.pi * k * base * times) / k
                                               * np.exp(-times * rng.uniform(0.5, 6)))
        at += length
    return unit(total)


def breaths(rng, count):
    total = np.zeros(count)
    at = 0
    while True:
        at += int(rng.uniform(0.5, 5) * RATE)
        length = int(rng.uniform(0.15, 0.8) * RATE)
        if at + length >= count:
            return total / (np.abs(total).max() + 1e-9) * 3
        sos = butter(2, [rng.uniform(200, 900), rng.uniform(2000, 7000)], "band", fs=RATE,
                     output="sos")
        total[at: at + length] += (sosfilt(sos, rng.standard_normal(length))
                                   * np.hanning(length) * rng.uniform(0.2, 1))
        at += length


def background(rng, count, speakers):
    kinds = [coloured, coloured, coloured, fan, hum, swelling, lambda r, n: unit(clicks(r, n)),
             lambda r, n: babble(r, n, speakers)]
    parts = rng.choice(len(kinds), rng.integers(1, 3), replace=False)
    return unit(sum(rng.uniform(0.3, 1) * kinds[k](rng, count) for k in parts))


def add_events(rng, mixture, level):
    for kind in (clicks, music, breaths):
        for _ in range(rng.integers(0, 3)):
            if rng.random() < 0.5:
                continue
            length = int(rng.uniform(1, 8) * RATE)
            start = rng.integers(len(mixture) - length)
            mixture[start: start + length] += (level * 10 ** (rng.uniform(-25, 0) / 20)
                                               * kind(rng, length))


# A minute of conversation


def piece(rng, speaker):
    """Some seconds of one voice, from pause to pause where it can be."""
    voice, labels = speaker[rng.integers(len(speaker))]
    blocks = min(len(labels), int(rng.lognormal(1.0, 0.8) * 100) + 40)
    start = rng.integers(len(labels) - blocks + 1)
    inside = slice(start * HOP, (start + blocks) * HOP)
    out = voice[inside].copy()
    fade = np.linspace(0, 1, 80)
    out[:80] *= fade
    out[-80:] *= fade[::-1]
    return out, labels[start: start + blocks]


def gap_blocks(rng):
    return int(100 * (rng.uniform(2, 9) if rng.random() < 0.18 else rng.lognormal(-0.9, 0.9)))


def conversation(rng, speakers):
    dry_clean = rng.random() < 0.5  # Whether pauses of the recordings stay or turn to zero.
    chosen = [speakers[k] for k in rng.choice(len(speakers), rng.integers(1, 5), replace=False)]
    rooms = [room_response(rng) if rng.random() < 0.7 else np.ones(1) for _ in chosen]
    gains = 10 ** (rng.uniform(-6, 6, len(chosen)) / 20)
    mixture = np.zeros(MINUTE + 2 * RATE)
    labels = np.zeros(len(mixture) // HOP, bool)
    at = gap_blocks(rng)
    while at < MINUTE // HOP:
        k = rng.integers(len(chosen))
        voice, active = piece(rng, chosen[k])
        if dry_clean:
            voice = voice * np.convolve(np.repeat(active, HOP), np.ones(81) / 81, "same")
        voice = fftconvolve(voice, rooms[k]) * gains[k]
        end = min(len(mixture), at * HOP + len(voice))
        mixture[at * HOP: end] += voice[: end - at * HOP]
        used = min(len(active), len(labels) - at)
        labels[at: at + used] |= active[:used]
        overlap = int(rng.uniform(20, 130)) if rng.random() < 0.1 else 0
        at = max(0, at + len(active) + gap_blocks(rng) - overlap)
    return mixture[:MINUTE], labels[: MINUTE // HOP]


def coded(rng, mixture):
    if rng.random() < 0.15:
        mixture = sosfilt(butter(4, [300, 3400], "band", fs=RATE, output="sos"), mixture)
    pcm = np.round(np.clip(mixture, -1, 1) * 32767).astype(np.int16)
    if rng.random() < 0.4:
        return pcm
    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, format="OGG", subtype="OPUS")
    file.seek(0)
    return soundfile.read(file, dtype="int16")[0][: len(pcm)]


def make_minute(rng, speakers):
    mixture, labels = conversation(rng, speakers)
    if rng.random() < 0.8:
        snr_db = rng.uniform(0, 30)
        mixture += background(rng, len(mixture), speakers) * 10 ** (-snr_db / 20)
    add_events(rng, mixture, 1.0)
    level_db = rng.uniform(-42, -14)
    return coded(rng, mixture * 10 ** (level_db / 20)), labels


# Features by the product's own code


def features_of(bench, minutes):
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for k, pcm in enumerate(minutes):
            audio, out = f"{folder}/{k}.s16", f"{folder}/{k}.f32"
            np.asarray(pcm, "<i2").tofile(audio)
            arguments += [audio, out]
        subprocess.run([bench, "--features", *arguments], check=True)
        return [np.fromfile(name, "<f4").reshape(-1, FEATURES) for name in arguments[1::2]]


# The network


def train(inputs, labels, valid_inputs, valid_labels, epochs, seed):
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, deviation = inputs.mean((0, 1)), inputs.std((0, 1)) + 1e-3

    def tensor(array):
        return torch.from_numpy(((array - mean) / deviation).astype(np.float32))

    x, y = tensor(inputs), torch.from_numpy(delayed(labels).astype(np.float32))
    valid_x, valid_labels = tensor(valid_inputs), delayed(valid_labels)
    network = torch.nn.ModuleDict({"gru": torch.nn.GRU(FEATURES, HIDDEN, batch_first=True),
                                   "out": torch.nn.Linear(HIDDEN, 1)})
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    chunk, batch = 1000, 16
    count = len(x) * (x.shape[1] // chunk)
    steps = epochs * (count // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps)
    generator = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = generator.permutation(count)
        losses = []
        for first in range(0, count - batch + 1, batch):
            picks = order[first: first + batch]
            rows, starts = picks // (x.shape[1] // chunk), picks % (x.shape[1] // chunk) * chunk
            xb = torch.stack([x[r, s: s + chunk] for r, s in zip(rows, starts)])
            yb = torch.stack([y[r, s: s + chunk] for r, s in zip(rows, starts)])
            logits = network["out"](network["gru"](xb)[0])[..., 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, yb)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        if epoch % 4 == 3 or epoch == epochs - 1:
            with torch.no_grad():
                scores = network["out"](network["gru"](valid_x)[0])[..., 0].numpy()
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, "
                  f"AUC on other speakers {auc(scores.ravel(), valid_labels.ravel()):.4f}",
                  flush=True)
    return network, mean, deviation


def delayed(labels):
    """What is asked of the network at each block: the label of DELAY blocks before it."""
    return np.pad(labels, ((0, 0), (DELAY, 0)))[:, : labels.shape[1]]


def auc(scores, labels):
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    positives = labels.sum()
    return ((ranks[labels].sum() - positives * (positives + 1) / 2)
            / (positives * (len(labels) - positives)))


def export(network, mean, deviation, path):
    """Writes the weights as columns: input by input, the 4 * HIDDEN sums that it adds to.

    Columns: features, one constant 1, hidden values. Sums: reset gate, update gate, candidate from
    the inputs, candidate from the hidden values. The scaling of the features is folded in.
    """
    gru = network["gru"]
    w_input = gru.weight_ih_l0.detach().numpy().astype(float) / deviation
    b_input = gru.bias_ih_l0.detach().numpy().astype(float) - w_input @ mean
    w_hidden = gru.weight_hh_l0.detach().numpy().astype(float)
    b_hidden = gru.bias_hh_l0.detach().numpy().astype(float)
    h = HIDDEN
    columns = np.zeros((FEATURES + 1 + h, 4 * h))
    columns[:FEATURES, : 3 * h] = w_input.T
    columns[FEATURES, : 2 * h] = b_input[: 2 * h] + b_hidden[: 2 * h]
    columns[FEATURES, 2 * h: 3 * h] = b_input[2 * h:]
    columns[FEATURES, 3 * h:] = b_hidden[2 * h:]
    columns[FEATURES + 1:, : 2 * h] = w_hidden.T[:, : 2 * h]
    columns[FEATURES + 1:, 3 * h:] = w_hidden.T[:, 2 * h:]
    out = [network["out"].weight.detach().numpy().ravel(), network["out"].bias.detach().numpy()]
    with open(path, "w") as file:
        file.write("// Written by models/train/fit_vad.py; not for editing.\n")
        for name, values in (("kColumns", columns.ravel()), ("kOutput", out[0]),
                             ("kOutputBias", out[1])):
            file.write(f"constexpr std::array<float, {len(values)}> {name} = {{\n")
            texts = [f"{v:.5g}F" if set("e.") & set(f"{v:.5g}") else f"{v:.5g}.0F"
                     for v in values]
            for k in range(0, len(texts), 8):
                file.write("    " + ", ".join(texts[k: k + 8]) + ",\n")
            file.write("};\n")


def fit(arguments):
    speakers = load_speakers(arguments.data)
    rng = np.random.default_rng(arguments.seed)
    rng.shuffle(speakers)
    made = [make_minute(rng, speakers[HELD_OUT:]) for _ in range(arguments.minutes)]
    valid = [make_minute(rng, speakers[:HELD_OUT]) for _ in range(max(8, arguments.minutes // 8))]
    print(f"{len(made)} minutes, {100 * np.mean([m[1] for m in made]):.0f} % speech", flush=True)
    inputs = np.stack(features_of(arguments.bench, [m[0] for m in made]))
    valid_inputs = np.stack(features_of(arguments.bench, [m[0] for m in valid]))
    network, mean, deviation = train(inputs, np.stack([m[1] for m in made]), valid_inputs,
                                     np.stack([m[1] for m in valid]), arguments.epochs,
                                     arguments.seed)
    export(network, mean, deviation, arguments.out)


def reference(path, blocks):
    """bool[blocks]: somebody speaks in the middle of the block."""
    middles = np.arange(blocks) * 0.01 + 0.005
    labels = np.zeros(blocks, bool)
    for line in path.read_text().splitlines():
        start, duration = (float(field) for field in line.split()[3:5])
        labels |= (middles >= start) & (middles < start + duration)
    return labels


def print_anchor(weights, recordings):
    """Silero's line beside those that the bench prints."""
    import silero
    scores = np.concatenate([silero.probabilities(weights, pcm) for pcm, _ in recordings])
    labels = np.concatenate([reference(rttm, len(pcm) // HOP) for pcm, rttm in recordings])
    print(f"{'all, Silero':40} AUC {auc(scores, labels):.4f}  "
          f"miss {100 * (scores[labels] < 0.5).mean():5.2f} %  "
          f"false alarm {100 * (scores[~labels] >= 0.5).mean():5.2f} %", flush=True)


def evaluate(arguments):
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("clean", "noisy"):
            pairs = []
            recordings = []
            for path in sorted((arguments.data / "dev/meetings").glob(f"*.{kind}.opus")):
                pcm, rate = soundfile.read(path, dtype="int16")
                assert rate == RATE, path
                audio = f"{folder}/{path.stem}.s16"
                pcm.astype("<i2").tofile(audio)
                rttm = path.with_name(path.name.split(".")[0] + ".rttm")
                pairs += [audio, str(rttm)]
                recordings.append((pcm, rttm))
            subprocess.run([arguments.bench, *pairs], check=True)
            if arguments.silero:
                print_anchor(arguments.silero, recordings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["fit", "eval"])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--out")
    parser.add_argument("--silero", type=pathlib.Path, help="Silero's weights, an anchor for eval")
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    fit(arguments) if arguments.action == "fit" else evaluate(arguments)


if __name__ == "__main__":
    main()
