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


def play(qylon, address, environment, wav):
    """One client like any other: it shows the token that the server made at its first start."""
    token = pathlib.Path(environment["QYLON_TOKEN_FILE"]).read_text().strip()
    meeting = request(address + "/api/meetings", token,
                      {"title": "Demo: planning the picnic"})["id"]
    link = subprocess.run([qylon, "sign-in", "--page", "/m/" + meeting], check=True,
                          env=environment, stdout=subprocess.PIPE, text=True).stdout.strip()
    again = f"--server {address} --token-file {environment['QYLON_TOKEN_FILE']}"
    print(f"\n  Live captions; the link signs you in, once:\n    {link}\n"
          f"\n  Later, for another link:\n    {qylon} sign-in {again}\n"
          "\n  Ctrl-C stops the server.\n", flush=True)
    command = [qylon, "uplink", str(wav), "--meeting", meeting, "--realtime",
               "--label", "Demo room"]
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode == 0:
        request(f"{address}/api/meetings/{meeting}/end", token, {})
        print(f"\n  The demo is over; its transcript:\n    {qylon} export {meeting} {again}\n",
              flush=True)


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
            address = line[len(READY):].strip()
            token_file = pathlib.Path(setting(words, "data-dir", "qylon-data")) / "token"
            environment = {**os.environ, "QYLON_SERVER": address,
                           "QYLON_TOKEN_FILE": str(token_file)}
            environment.pop("QYLON_TOKEN", None)  # That of another server.
            play(qylon, address, environment, wav)
        return server.wait()
    except KeyboardInterrupt:
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
