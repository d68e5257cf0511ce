"""Training speech for the speaker models: reading, augmenting, the log-mel front end, a feature cache.

Input  : a folder of FLAC files with list.json (speaker, path), 16 kHz, e.g. ../shared/data/speaker/train.
Output : cache file <cache>.npy, float16[frames, 40] mel power in dB, and <cache>.json, the list of
         clips: speaker, speed index, variant, first frame, end frame.
Needs  : numpy, soundfile; opusenc and opusdec (Debian's opus-tools) for the coded variants.
"""

import json
import pathlib
import subprocess
import tempfile

import numpy as np
import soundfile

RATE_HZ = 16000
FFT_SIZE = 512
WINDOW = 400
HOP = 160
MELS = 40
SPEEDS = (1.0, 0.9, 1.1)  # A voice played faster or slower counts as another speaker.
VARIANTS = ("dry", "room", "opus24", "opus40", "telephone")


def mel_bank():
    """The triangular bank of python_speech_features.fbank(nfilt=40): float32[40, 257]."""
    top = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    edges = np.floor((FFT_SIZE + 1) * hertz / RATE_HZ)
    bins = np.arange(FFT_SIZE // 2 + 1)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(np.where(bins < edges[1:-1, None], rise, fall), 0).astype(np.float32)


BANK = mel_bank()


def log_mel(samples):
    """float32[samples] -> float32[frames, 40] dB; 25 ms rectangular frames every 10 ms, pre-emphasis."""
    x = np.asarray(samples, np.float32)
    x = np.append(x[:1], x[1:] - np.float32(0.97) * x[:-1])
    count = 1 + (len(x) - WINDOW) // HOP
    out = np.empty((count, MELS), np.float32)
    for start in range(0, count, 4096):
        stop = min(count, start + 4096)
        frames = np.lib.stride_tricks.as_strided(
            x[start * HOP :], (stop - start, WINDOW), (x.strides[0] * HOP, x.strides[0])
        )
        power = np.abs(np.fft.rfft(frames, FFT_SIZE)) ** 2 / FFT_SIZE
        out[start:stop] = 10 * np.log10(np.maximum(power.astype(np.float32) @ BANK.T, 1e-10))
    return out


def loudness_normalised(mel_db):
    """Minus the loudness of the stretch (mean power over frames, summed over bands), floor -60 dB."""
    loudness = 10 * np.log10((10 ** (mel_db / 10)).sum(-1).mean(-1))[..., None, None]
    return np.maximum(mel_db - loudness, -60)


def resampled(x, count):
    """Band-limited resampling of the whole clip to `count` samples through its spectrum."""
    spectrum = np.fft.rfft(x)
    kept = np.zeros(count // 2 + 1, complex)
    size = min(len(kept), len(spectrum))
    kept[:size] = spectrum[:size]
    return (np.fft.irfft(kept, count) * (count / len(x))).astype(np.float32)


def convolved(x, response):
    size = 1 << int(np.ceil(np.log2(len(x) + len(response))))
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(response, size), size)[: len(x)].astype(np.float32)


def room_response(rng):
    """Impulse response of a shoebox room by image sources (Allen & Berkley 1979), direct path at 0."""
    room = np.array([rng.uniform(3, 7), rng.uniform(2.5, 6), rng.uniform(2.3, 3.2)])
    decay_s = rng.uniform(0.15, 0.6)
    surface = 2 * (room[0] * room[1] + room[0] * room[2] + room[1] * room[2])
    absorbed = min(0.95, 1 - np.exp(-0.161 * room.prod() / (surface * decay_s)))
    reflected = np.sqrt(1 - absorbed)
    microphone = rng.uniform(0.2, 0.8, 3) * room
    angle = rng.uniform(0, 2 * np.pi)
    offset = rng.uniform(0.3, 2.0) * np.array([np.cos(angle), np.sin(angle), rng.uniform(-0.1, 0.3)])
    talker = np.clip(microphone + offset, 0.15, room - 0.15)
    length_s = min(decay_s * 1.1, 0.45)
    orders = [np.arange(-n, n + 1) for n in np.ceil(length_s * 343 / (2 * room)).astype(int)]
    grid = np.stack([g.ravel() for g in np.meshgrid(*orders, indexing="ij")], 1)
    response = np.zeros(int((length_s + 0.05) * RATE_HZ))
    for mirror in np.ndindex(2, 2, 2):
        mirror = np.array(mirror)
        distance = np.linalg.norm((1 - 2 * mirror) * talker + 2 * grid * room - microphone, axis=1)
        bounces = np.abs(grid - mirror).sum(1) + np.abs(grid).sum(1)
        at = distance / 343 * RATE_HZ
        near = at < len(response) - 1
        amplitude = reflected ** bounces[near] / np.maximum(distance[near], 0.05)
        whole = at[near].astype(int)
        np.add.at(response, whole, amplitude * (1 - at[near] + whole))
        np.add.at(response, whole + 1, amplitude * (at[near] - whole))
    direct = np.argmax(np.abs(response[: int(0.03 * RATE_HZ)]))
    response = response[direct:]
    return (response / np.abs(response[0])).astype(np.float32)


def coloured_noise(rng, count, slope):
    """Unit-variance noise with power ~ 1 / f**slope."""
    size = 1 << int(np.ceil(np.log2(count)))
    spectrum = rng.standard_normal(size // 2 + 1) + 1j * rng.standard_normal(size // 2 + 1)
    x = np.fft.irfft(spectrum / np.maximum(np.arange(size // 2 + 1), 20) ** (slope / 2), size)[:count]
    return (x / x.std()).astype(np.float32)


def noises(rng):
    """Noise the training adds: coloured, mains hum, and slowly swelling."""
    out = [coloured_noise(rng, RATE_HZ * 40, slope) for slope in (0, 0.5, 1, 1, 1.3, 1.5, 2)]
    time = np.arange(RATE_HZ * 40) / RATE_HZ
    hum = 0.5 * coloured_noise(rng, len(time), 1)
    for base in (50, 60, 120):
        hum += 0.3 * sum(np.sin(2 * np.pi * base * k * time + k) / k for k in range(1, 7)).astype(np.float32)
    out.append(hum / hum.std())
    swell = out[2] * (1 + 0.8 * np.sin(2 * np.pi * 0.7 * time)).astype(np.float32)
    out.append(swell / swell.std())
    return out


def telephone(x):
    """300-3400 Hz, 8 kHz, mu-law: what a telephone leaves."""
    narrow = resampled(x, len(x) // 2)
    spectrum = np.fft.rfft(narrow)
    hertz = np.fft.rfftfreq(len(narrow), 2 / RATE_HZ)
    spectrum[(hertz < 250) | (hertz > 3500)] *= 0.02
    narrow = np.clip(np.fft.irfft(spectrum, len(narrow)), -1, 1)
    code = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log1p(255) * 127) / 127
    return resampled(np.sign(code) * np.expm1(np.abs(code) * np.log1p(255)) / 255, len(x))


def opus_coded(x, kilobits):
    with tempfile.TemporaryDirectory() as folder:
        wav, opus = f"{folder}/a.wav", f"{folder}/a.opus"
        soundfile.write(wav, np.clip(x, -0.99, 0.99), RATE_HZ, subtype="PCM_16")
        subprocess.run(["opusenc", "--quiet", "--speech", "--comp", "5", "--bitrate", str(kilobits), wav, opus], check=True)
        subprocess.run(["opusdec", "--quiet", "--rate", str(RATE_HZ), opus, wav], check=True)
        return soundfile.read(wav, dtype="float32")[0]


def with_noise(x, noise, snr_db, rng):
    start = rng.integers(len(noise) - 1)
    added = np.take(noise, np.arange(start, start + len(x)), mode="wrap")
    return x + added * np.sqrt((x**2).mean()) * np.float32(10 ** (-snr_db / 20))


def augmented(x, variant, rng, rooms, noise):
    if variant == "dry":
        return x
    if variant != "telephone" or rng.random() < 0.5:
        x = convolved(x, rooms[rng.integers(len(rooms))])
        x = x / np.sqrt((x**2).mean()) * 0.05
    if variant != "room" or rng.random() < 0.5:
        x = with_noise(x, noise[rng.integers(len(noise))], rng.uniform(8, 28), rng)
    return telephone(x) if variant == "telephone" else x


def build_cache(folder, cache, seed=1):
    """Makes the cache unless it is there; about two minutes on one core."""
    if pathlib.Path(f"{cache}.json").exists():
        return
    rng = np.random.default_rng(seed)
    rooms = [room_response(rng) for _ in range(60)]
    noise = noises(rng)
    streams = {variant: [] for variant in VARIANTS}
    clips, ends = [], dict.fromkeys(VARIANTS, 0)
    folder = pathlib.Path(folder)
    for entry in json.loads((folder / "list.json").read_text()):
        samples, rate = soundfile.read(folder / pathlib.Path(entry["path"]).name, dtype="float32")
        assert rate == RATE_HZ, entry["path"]
        samples = samples / (np.sqrt((samples**2).mean()) + 1e-9) * 0.05
        for speed_index, speed in enumerate(SPEEDS):
            faster = resampled(samples, int(len(samples) / speed)) if speed != 1 else samples
            faster = faster[: len(faster) // HOP * HOP]
            for variant in VARIANTS:
                streams[variant].append(augmented(faster, variant, rng, rooms, noise).astype(np.float32))
                first = ends[variant]
                ends[variant] += len(faster) // HOP
                clips.append([entry["spk"], speed_index, variant, first, ends[variant]])
    parts, offset, offsets = [], 0, {}
    for variant in VARIANTS:
        whole = np.concatenate(streams.pop(variant))
        if variant.startswith("opus"):
            whole = opus_coded(whole, int(variant[4:]))
        parts.append(log_mel(np.append(whole, np.zeros(WINDOW, np.float32)))[: ends[variant]].astype(np.float16))
        offsets[variant] = offset
        offset += len(parts[-1])
    rows = [[s, p, v, a + offsets[v], min(b + offsets[v], offset) - 3] for s, p, v, a, b in clips]
    np.save(f"{cache}.npy", np.concatenate(parts))
    mels = [log_mel(0.05 * n).astype(np.float16) for n in noise]
    np.save(f"{cache}.noise.npy", np.concatenate(mels))
    pathlib.Path(f"{cache}.json").write_text(json.dumps(rows))


def equal_error_rate(same, different):
    scores = np.concatenate([same, different])
    truth = np.concatenate([np.ones(len(same)), np.zeros(len(different))])[np.argsort(-scores, kind="stable")]
    accepted = np.cumsum(1 - truth) / len(different)
    rejected = 1 - np.cumsum(truth) / len(same)
    at = np.argmin(np.abs(accepted - rejected))
    return 100 * (accepted[at] + rejected[at]) / 2


def verification_eer(folder, embed):
    """EER in percent by condition and seconds, of `embed(list of float32[frames, 40]) -> float[n, size]`."""
    folder = pathlib.Path(folder)
    segments = json.loads((folder / "segments.json").read_text())
    index = {segment["id"]: i for i, segment in enumerate(segments)}
    trials = [line.split() for line in (folder / "trials.txt").read_text().splitlines()]
    trials = np.array([(int(same), index[a], index[b]) for same, a, b in trials])
    out = {}
    for condition in ("clean", "noisy"):
        with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
            source = str(folder / f"{condition}.opus")
            subprocess.run(["opusdec", "--quiet", "--rate", str(RATE_HZ), source, wav.name], check=True)
            samples = soundfile.read(wav.name, dtype="float32")[0]
        for seconds in (1.5, 3, 5):
            starts = [int(segment["start"] * RATE_HZ) for segment in segments]
            vectors = embed([log_mel(samples[s : s + int(seconds * RATE_HZ)]) for s in starts])
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            scores = (vectors[trials[:, 1]] * vectors[trials[:, 2]]).sum(1)
            same = trials[:, 0] == 1
            out[f"{condition}{seconds}"] = round(float(equal_error_rate(scores[same], scores[~same])), 2)
    return out
