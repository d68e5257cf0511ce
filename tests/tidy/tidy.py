"""Checks of the code itself: layering, heavy-header walls, sizes, banned words.

Run by CTest as `tidy`. Standard library only. Prints file:line: problem, exits 1 on any.
"""

import pathlib
import re
import sys

# module -> modules it may include. A module may always include itself.
ALLOWED = {
    "core": set(),
    "dsp": {"core"},
    "models": {"core", "dsp"},
    "diarization": {"core", "dsp", "models"},
    "media": {"core", "dsp", "models", "diarization"},
    "storage": {"core"},
    "api": {"core", "storage"},
    "realtime": {"core", "media"},
    "server": {"core", "dsp", "models", "diarization", "media", "storage", "api", "realtime", "web"},
}
# heavy or C header -> where it may be included, as a pattern on the path from the root
WALLS = [
    (r"^(unsupported/)?Eigen/", r"^(diarization|models)/.*\.cpp$"),
    (r"^nlohmann/",
     r"^api/(core|identity|compat|domains)/.*\.cpp$"
     r"|^api/(core/json_schema|identity/strict_json|compat/auth_body)\.hpp$|_json\.cpp$"),
    (r"^argon2\.h$", r"^api/identity/password\.cpp$"),
    (r"^qrencode\.h$", r"^api/identity/qr_code\.cpp$"),
    (r"^pqxx/", r"^storage/.*\.cpp$"),
    (r"^gst/", r"^media/.*\.cpp$|^media/elements/"),
    (r"^libwebsockets\.h$|^ev\.h$", r"^realtime/.*\.cpp$"),
    (r"^opus/|^ogg/|^samplerate\.h$", r"^(media|dsp)/.*\.cpp$|^media/elements/"),
    # A body that libwebsockets stops reading is read from its TLS connection.
    (r"^openssl/", r"^(core|api)/.*\.cpp$|^realtime/body_socket\.cpp$"),
    (r"^curl/",
     r"^models/.*\.cpp$|^api/core/outbound(_transfer)?\.cpp$|^api/identity/mailer\.cpp$"
     r"|^server/http_client\.cpp$"),
    (r"^pocketsphinx", r"^models/.*\.cpp$"),
    (r"^(iostream|regex|ranges|source_location|format)$", r"^$"),
]
SKIPPED = {"build", "node_modules", ".git"}
MAX_LINES = {".hpp": 250, ".cpp": 400}
BANNED = {
    r"\bstd::views\b": "clang 14 cannot parse libstdc++ 12 views",
    r"\bsleep_for\b": "wait on a condition or a fake clock",
    r"\b(FIXME|XXX|HACK)\b": "finish it or file it",
    r"\busing namespace\b": "name what you use",
    r"\bstd::recursive_mutex\b": "restructure ownership",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def problems(root: pathlib.Path):
    for path in sorted(p for p in root.rglob("*.?pp") if not SKIPPED & set(p.relative_to(root).parts)):
        relative = path.relative_to(root)
        module = relative.parts[0]
        lines = path.read_text().splitlines()
        limit = MAX_LINES.get(path.suffix, 400) * (2 if module in ("tests", "bench") else 1)
        if len(lines) > limit:
            yield f"{relative}:1: {len(lines)} lines, limit {limit}"
        for number, line in enumerate(lines, 1):
            where = f"{relative}:{number}"
            if len(line) > 100 and "http" not in line:
                yield f"{where}: line longer than 100"
            for pattern, reason in BANNED.items():
                if re.search(pattern, line):
                    yield f"{where}: {pattern} is banned: {reason}"
            match = INCLUDE.match(line)
            if not match or module not in ALLOWED:
                continue
            quote, target = match.groups()
            if quote == '"':
                used = target.split("/")[0]
                if used != module and used not in ALLOWED[module]:
                    yield f"{where}: {module}/ may not include {used}/"
            for pattern, allowed in WALLS:
                if re.match(pattern, target) and not re.search(allowed, str(relative)):
                    yield f"{where}: {target} is behind a wall"


def main() -> int:
    found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) or "tidy: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
