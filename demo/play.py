"""Starts the server and plays the demo meeting into it, as `./dev run` does.

Usage: play.py QYLON [settings of `qylon serve`]. Standard library only. Ctrl-C stops everything.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

DEMO = pathlib.Path(__file__).resolve().parent
READY = "listening on "


def request(url, token, body=None):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def setting(words, name, default):
    for at, word in enumerate(words):
        if word == "--" + name and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--" + name + "="):
            return word.split("=", 1)[1]
    return os.environ.get("QYLON_" + name.upper().replace("-", "_"), default)


def play(qylon, address, token, wav):
    meeting = request(address + "/api/meetings", token,
                      {"title": "Demo: planning the picnic"})
    print(f"\n  live captions:  {address}/m/{meeting['id']}", flush=True)
    print("  Ctrl-C stops the server.\n", flush=True)
    command = [qylon, "uplink", str(wav), "--server", address, "--meeting", meeting["id"],
               "--realtime", "--label", "Demo room"]
    if subprocess.run(command, env={**os.environ, "QYLON_TOKEN": token}).returncode == 0:
        request(f"{address}/api/meetings/{meeting['id']}/end", token, {})
        print(f"\n  The demo is over; its transcript: "
              f"{address}/api/meetings/{meeting['id']}/export?format=txt", flush=True)


def main():
    qylon, words = sys.argv[1], sys.argv[2:]
    server = subprocess.Popen([qylon, "serve", *words], stdout=subprocess.PIPE, text=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            wav = pathlib.Path(folder) / "meeting.wav"
            subprocess.run([sys.executable, str(DEMO / "make_meeting.py"), str(wav)], check=True)
            line = server.stdout.readline()
            if not line.startswith(READY):
                return server.wait()
            print(line, end="", flush=True)
            data_dir = setting(words, "data-dir", "qylon-data")
            token = subprocess.run([qylon, "token", "--data-dir", data_dir], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout.strip()
            play(qylon, line[len(READY):].strip(), token, wav)
        return server.wait()
    except KeyboardInterrupt:
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
