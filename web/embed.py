"""Bundles the browser app with esbuild and writes it out as one C++ file.

usage: embed.py ESBUILD SOURCE_DIR WORK_DIR OUTPUT.cpp

Scripts, style and icon get a hash into their names; the pages name them as {{meeting.js}}.
"""

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

ENTRIES = ["src/meetings.ts", "src/meeting.ts", "style.css", "favicon.svg"]
PAGES = ["index.html", "meeting.html"]
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def bundle(esbuild: str, source: pathlib.Path, work: pathlib.Path) -> dict[str, bytes]:
    """File name with hash -> content."""
    shutil.rmtree(work, ignore_errors=True)
    subprocess.run(
        [esbuild, *(str(source / entry) for entry in ENTRIES), "--bundle", "--minify",
         "--target=es2020", "--charset=utf8", "--loader:.svg=copy", "--entry-names=[name]-[hash]",
         f"--outdir={work}", "--log-level=warning"],
        check=True)
    return {path.name: path.read_bytes() for path in sorted(work.iterdir())}


def fill_in(page: str, names: list[str]) -> str:
    """Puts the hashed names where the page names the plain ones."""
    def hashed(match: re.Match[str]) -> str:
        stem, ending = match.group(1).rsplit(".", 1)
        found = [n for n in names if re.fullmatch(rf"{stem}-[A-Z0-9]+\.{ending}", n)]
        if len(found) != 1:
            raise SystemExit(f"embed.py: no bundle for {match.group(0)}")
        return "/assets/" + found[0]
    return re.sub(r"\{\{([a-z.]+)\}\}", hashed, page)


def literal(content: bytes) -> str:
    text = content.decode()
    # Raw literals in pieces, because a compiler need not take more than 65,536 characters in one.
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    if any(')qylon"' in piece for piece in pieces):
        raise SystemExit("embed.py: the delimiter occurs in the content")
    return "\n    ".join(f'R"qylon({piece})qylon"' for piece in pieces) or '""'


def main() -> None:
    esbuild, source, work, output = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
    files = bundle(esbuild, source, work)
    assets = {f"/assets/{name}": content for name, content in files.items()}
    for page in PAGES:
        assets[f"/{page}"] = fill_in((source / page).read_text(), list(files)).encode()
    rows = []
    for path, content in sorted(assets.items()):
        etag = hashlib.sha256(content).hexdigest()[:16]
        kind = TYPES[pathlib.PurePosixPath(path).suffix]
        rows.append(f'    {{"{path}", "{kind}",\n    {literal(content)},\n    "\\"{etag}\\""}},\n')
    output.write_text(
        '// Made by web/embed.py.\n#include <array>\n\n#include "web/assets.hpp"\n\n'
        "namespace qylon::web {\nnamespace {\n\n"
        f"constexpr std::array<Asset, {len(rows)}> kAssets{{{{\n{''.join(rows)}}}}};\n\n"
        "}  // namespace\n\nstd::span<const Asset> assets() {\n  return kAssets;\n}\n\n"
        "}  // namespace qylon::web\n")


if __name__ == "__main__":
    main()
