// The browser's sound: what it may capture, how loud it is, and MediaRecorder's stream of it.

/** What browsers record; the first that this one knows is taken. Chromium and Firefox write WebM or
 *  Ogg with Opus, Safari writes MP4. */
const kFormats = [
  { type: "audio/webm;codecs=opus", codec: "webm" },
  { type: "audio/ogg;codecs=opus", codec: "ogg" },
  { type: "audio/mp4", codec: "mp4" },
];
/** MediaRecorder rounds it up to whole packets of 60 ms. */
const kPieceMs = 200;
const kBitsPerSecond = 48_000;
const kFloorDb = -60;

export type SourceKind = "microphone" | "tab";

/** A sentence for whoever shares. */
export class ShareError extends Error {}

function explain(error: unknown, kind: SourceKind): ShareError {
  const name = error instanceof DOMException ? error.name : "";
  const isTab = kind === "tab";
  if (name === "NotAllowedError") {
    return new ShareError(
      isTab
        ? "Nothing was shared. Choose a tab or a screen to share its sound."
        : "The browser may not use the microphone. Allow it beside the address, then try again.",
    );
  }
  if (name === "NotFoundError") return new ShareError("No microphone was found. Plug one in, then try again.");
  if (name === "NotReadableError") return new ShareError("The microphone is in use by another program.");
  return new ShareError(`The sound could not be captured: ${error instanceof Error ? error.message : String(error)}`);
}

/** Asks the person, and gives a stream whose first audio track is the sound. */
export async function capture(kind: SourceKind): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) {
    throw new ShareError("Browsers share sound only with pages that come over HTTPS or from localhost.");
  }
  let stream: MediaStream;
  try {
    stream =
      kind === "tab"
        ? await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true })
        : await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw explain(error, kind);
  }
  if (stream.getAudioTracks().length > 0) return stream;
  stream.getTracks().forEach((track) => track.stop());
  throw new ShareError("That shares no sound. Choose a tab and tick “Also share tab audio”.");
}

export function recordingFormat(): { type: string; codec: string } {
  const known = kFormats.find(
    (format) => typeof MediaRecorder !== "undefined" && MediaRecorder.isTypeSupported(format.type),
  );
  if (known === undefined) throw new ShareError("This browser cannot record sound. Chromium, Firefox and Safari can.");
  return known;
}

/** One MediaRecorder at a time over one stream; each start is a stream with its own header. */
export class Recorder {
  private recorder: MediaRecorder | null = null;

  constructor(
    private readonly sound: MediaStream,
    private readonly type: string,
    private readonly onBytes: (bytes: Uint8Array) => void,
  ) {}

  /** Begins a new recording; the one before is thrown away. */
  start(): void {
    const before = this.recorder;
    if (before !== null) {
      before.ondataavailable = null;
      if (before.state !== "inactive") before.stop();
    }
    const recorder = new MediaRecorder(this.sound, { mimeType: this.type, audioBitsPerSecond: kBitsPerSecond });
    this.recorder = recorder;
    let order = Promise.resolve(); // Reading blobs takes turns, so that no piece overtakes another.
    recorder.ondataavailable = ({ data }) => {
      order = order.then(async () => {
        const bytes = new Uint8Array(await data.arrayBuffer());
        if (this.recorder === recorder && bytes.length > 0) this.onBytes(bytes);
      });
    };
    recorder.onstop = () => void order.then(() => this.onStopped?.());
    recorder.start(kPieceMs);
  }

  /** Resolves when the last piece was given away. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.onStopped = resolve;
      if (this.recorder === null || this.recorder.state === "inactive") return resolve();
      this.recorder.stop();
    });
  }

  private onStopped: (() => void) | null = null;
}

/** How loud a stream is now. */
export class Level {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples = new Float32Array(2048);

  constructor(sound: MediaStream) {
    this.analyser.fftSize = this.samples.length;
    this.context.createMediaStreamSource(sound).connect(this.analyser);
  }

  /** dBFS of the last 40 ms or so, at least -60. */
  read(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    return Math.max(kFloorDb, 10 * Math.log10(power + 1e-12));
  }

  close(): void {
    void this.context.close();
  }
}
