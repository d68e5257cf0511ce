// Strict readers of the six export formats: each gives [{startMs, endMs, speaker, text}].

import assert from "node:assert/strict";

function clock(text, mark) {
  const parts = new RegExp(`^(\\d{2,}):(\\d{2}):(\\d{2})\\${mark}(\\d{3})$`).exec(text);
  assert.ok(parts, `"${text}" is no time`);
  const [, hours, minutes, seconds, ms] = parts.map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

function blocks(file) {
  assert.ok(file.endsWith("\n\n"), "no blank line at the end");
  return file.slice(0, -2).split("\n\n").map((block) => block.split("\n"));
}

function times(line, mark) {
  const [start, end, ...rest] = line.split(" --> ");
  assert.equal(rest.length, 0);
  const [startMs, endMs] = [clock(start, mark), clock(end, mark)];
  assert.ok(endMs > startMs, line);
  return { startMs, endMs };
}

export function readSrt(file) {
  return blocks(file).map(([number, time, ...lines], index) => {
    assert.equal(number, String(index + 1));
    assert.ok(lines.length >= 1 && lines.length <= 3, `${lines.length} lines in a cue`);
    return { ...times(time, ","), text: lines.join(" ") };
  });
}

export function readVtt(file) {
  const [head, ...cues] = blocks(file);
  assert.deepEqual(head, ["WEBVTT"]);
  const text = (escaped) => {
    assert.ok(!/[<>]/.test(escaped), escaped);
    return escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  };
  return cues.map(([, time, ...lines]) => {
    const voice = /^<v ([^>]+)>(.*)$/.exec(lines.join(" "));
    assert.ok(voice, `${lines} has no voice`);
    return { ...times(time, "."), speaker: text(voice[1]).trim(), text: text(voice[2]) };
  });
}

export function readCsv(file) {
  assert.ok(file.endsWith("\r\n"));
  const rows = file.slice(0, -2).split("\r\n").map((line) => {
    const cells = [];
    let rest = line;
    do {
      const cell = /^(?:"((?:[^"]|"")*)"|([A-Za-z0-9_.]*))(?:,|$)/.exec(rest);
      assert.ok(cell, rest);
      cells.push(cell[1] === undefined ? cell[2] : cell[1].replaceAll('""', '"'));
      rest = cell[0].endsWith(",") ? rest.slice(cell[0].length) : null;
    } while (rest !== null);
    return cells;
  });
  const [names, ...data] = rows;
  return data.map((row) => {
    assert.equal(row.length, names.length);
    const cell = (name) => row[names.indexOf(name)];
    return {
      offset: Number(cell("offset")),
      startMs: Number(cell("start_ms")),
      endMs: Number(cell("end_ms")),
      speaker: cell("speaker"),
      text: cell("text"),
    };
  });
}

export function readTxt(file) {
  const [title, date, blank, ...lines] = file.slice(0, -1).split("\n");
  assert.ok(title !== "" && !Number.isNaN(Date.parse(date)) && blank === "");
  return lines.map((line) => {
    const parts = /^\[(\d{2,}:\d{2}:\d{2})\] ([^:]+): (.+)$/.exec(line);
    assert.ok(parts, line);
    return { startMs: clock(`${parts[1]}.000`, "."), speaker: parts[2], text: parts[3] };
  });
}

export function readRttm(file) {
  return file.slice(0, -1).split("\n").map((line) => {
    const fields = line.split(" ");
    assert.equal(fields.length, 10, line);
    assert.equal(fields[0], "SPEAKER");
    const startMs = Math.round(Number(fields[3]) * 1000);
    return { startMs, endMs: startMs + Math.round(Number(fields[4]) * 1000), speaker: fields[7] };
  });
}

export function readJson(file) {
  return JSON.parse(file).captions.map((caption) => ({
    offset: caption.offset,
    startMs: caption.start_ms,
    endMs: caption.end_ms,
    speaker: caption.speaker.name,
    text: caption.text,
    words: caption.words,
  }));
}

/** Length of an Ogg Opus file [ms] by RFC 7845: last granule position less the pre-skip, at 48 kHz. */
export function oggOpusMs(file) {
  let preSkip = -1;
  let granule = 0n;
  for (let at = 0; at < file.length; ) {
    assert.equal(file.toString("latin1", at, at + 4), "OggS", `no page at byte ${at}`);
    const segments = file.readUInt8(at + 26);
    const body = at + 27 + segments;
    const size = file.subarray(at + 27, body).reduce((sum, length) => sum + length, 0);
    if (preSkip < 0) {
      assert.equal(file.toString("latin1", body, body + 8), "OpusHead");
      preSkip = file.readUInt16LE(body + 10);
    }
    const position = file.readBigInt64LE(at + 6);
    if (position > granule) granule = position;
    at = body + size;
  }
  return (Number(granule) - preSkip) / 48;
}
