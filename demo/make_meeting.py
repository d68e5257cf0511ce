"""Synthesises the demo meeting of script.txt as one mono WAV file of 16 kHz.

Usage: make_meeting.py OUT.wav [REFERENCE.json]. Standard library only. Voices are flite's slt, rms
and awb, which the default recogniser understands; without flite, three voices of espeak-ng. The
same voices give the same file. REFERENCE.json gets who says what, and when, in seconds.
"""

import array
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import wave

RATE_HZ = 16000
SCRIPT = pathlib.Path(__file__).resolve().parent / "script.txt"
ESPEAK = {"slt": "en-us+f3", "rms": "en-us+m3", "awb": "en-gb+m7"}
# People answer after about this long; varied by the turn's number, so that it is always the same.
PAUSES_S = (0.35, 0.5, 0.3, 0.65, 0.45)
PEAK = 0.5  # -6 dBFS, for every voice alike.


def turns(text):
    """Yields (voice, words) and (None, seconds)."""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("pause "):
            yield None, float(line.split()[1])
        else:
            voice, words = line.split(":", 1)
            yield voice.strip(), words.strip()


def synthesise(voice, words, path):
    if shutil.which("flite"):
        command = ["flite", "-voice", voice, "-t", words, "-o", path]
    elif shutil.which("espeak-ng"):
        command = ["espeak-ng", "-v", ESPEAK.get(voice, "en-us"), "-s", "150", "-w", path, words]
    else:
        sys.exit("make_meeting.py: neither flite nor espeak-ng is installed")
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"make_meeting.py: {' '.join(command[:3])} failed: {done.stderr.strip()}")


def read_mono(path):
    """Samples of a 16-bit WAV file at RATE_HZ."""
    with wave.open(path) as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            sys.exit(f"make_meeting.py: {path} is not 16-bit mono")
        samples = array.array("h", file.readframes(file.getnframes()))
        rate = file.getframerate()
    if sys.byteorder == "big":
        samples.byteswap()
    return samples if rate == RATE_HZ else resample(samples, rate)


def resample(samples, rate):
    """Linear interpolation: enough for espeak-ng's 22.05 kHz, and needs no library."""
    count = len(samples) * RATE_HZ // rate
    out = array.array("h", bytes(2 * count))
    last = len(samples) - 1
    for n in range(count):
        at, rest = divmod(n * rate, RATE_HZ)
        a, b = samples[at], samples[min(at + 1, last)]
        out[n] = a + (b - a) * rest // RATE_HZ
    return out


def trim(samples, threshold=300):
    """Without the silence that the synthesiser puts before and after."""
    first = next((n for n, s in enumerate(samples) if abs(s) > threshold), 0)
    last = next((n for n in range(len(samples) - 1, -1, -1) if abs(samples[n]) > threshold), 0)
    margin = RATE_HZ // 50
    return samples[max(0, first - margin):last + margin]


def normalise(samples):
    loudest = max(1, max(abs(s) for s in samples))
    gain = PEAK * 32767 / loudest
    return array.array("h", (int(s * gain) for s in samples))


def hush(count):
    """Room noise at -70 dBFS, because no room is digitally silent; from a fixed generator."""
    state = 1
    out = array.array("h", bytes(2 * count))
    for n in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out[n] = (state >> 16) % 23 - 11
    return out


def make(text):
    """Returns (samples, reference)."""
    meeting = array.array("h", [0] * (RATE_HZ // 2))
    reference = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "turn.wav")
        for voice, words in turns(text):
            if voice is None:
                meeting.extend([0] * int(words * RATE_HZ))
                continue
            synthesise(voice, words, path)
            start = len(meeting)
            meeting.extend(normalise(trim(read_mono(path))))
            reference.append({"speaker": voice, "text": words, "start_s": start / RATE_HZ,
                              "end_s": len(meeting) / RATE_HZ})
            meeting.extend([0] * int(PAUSES_S[len(reference) % len(PAUSES_S)] * RATE_HZ))
    noise = hush(len(meeting))
    for n, sample in enumerate(noise):
        meeting[n] += sample  # Peaks are at half scale: no overflow.
    return meeting, reference


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    samples, reference = make(SCRIPT.read_text())
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(sys.argv[1], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    if len(sys.argv) == 3:
        pathlib.Path(sys.argv[2]).write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
