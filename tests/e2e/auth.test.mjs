// The unmodified @supabase/supabase-js against the built program, with mail that a mail server takes.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { createClient } from "@supabase/supabase-js";
import { WebSocket } from "ws";

import { freePort } from "./support/free_port.mjs";
import { run, Server } from "./support/server.mjs";

const kPassword = "correct horse battery";
const kIssuer = "https://them.example/auth/v1";
const issuerKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
let issuer;
let server;
let sink;
let key;
const mails = [];
let arrived = () => {};

async function startSink() {
  sink = spawn(process.execPath, [fileURLToPath(new URL("./support/smtp_sink.mjs", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: sink.stdout });
  return new Promise((resolve) => {
    lines.once("line", (port) => {
      lines.on("line", (line) => {
        mails.push(JSON.parse(line));
        arrived();
      });
      resolve(Number(port));
    });
  });
}

/** The newest mail to `address` with `subject`; waits for it. */
async function mailTo(address, subject) {
  for (;;) {
    const index = mails.findIndex((mail) => mail.to.includes(address) && mail.text.includes(`Subject: ${subject}`));
    if (index >= 0) return mails.splice(index, 1)[0].text;
    await new Promise((resolve) => (arrived = resolve));
  }
}
const codeIn = (mail) => /code: (\d{6})/.exec(mail)[1];

/** The issuer's key set, as it publishes it. */
async function startIssuer() {
  const jwk = { ...issuerKey.publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" };
  issuer = createHttpServer((_, answer) => answer.end(JSON.stringify({ keys: [jwk] })));
  await new Promise((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${issuer.address().port}/jwks.json`;
}

before(async () => {
  const [smtp, port] = [await startSink(), await freePort()];
  server = await Server.start({
    port,
    flags: [
      ...["--sign-up", "--smtp-url", `smtp://127.0.0.1:${smtp}`, "--mail-from", "qylon@example.org"],
      ...["--trusted-issuer", kIssuer, "--trusted-jwks-url", await startIssuer()],
    ],
  });
  const printed = await run(["token", "--publishable", "--data-dir", server.dataDir]);
  assert.equal(printed.code, 0, printed.stderr);
  key = printed.stdout.trim();
}, { timeout: 120_000 });
after(async () => {
  sink?.kill();
  issuer?.close();
  await server?.stop();
});

function client(options = {}) {
  return createClient(server.url, key, {
    auth: { autoRefreshToken: false, persistSession: true, storage: memory(), ...options },
    realtime: { transport: WebSocket },
  });
}
function memory() {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}
/** What succeeded, or the error that did not. */
async function good(promise) {
  const { data, error } = await promise;
  assert.equal(error, null, error?.message);
  return data;
}

/** RFC 6238 with RFC 4648's base32, as an authenticator app has it. */
function totp(secret) {
  let bits = "";
  for (const c of secret) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0");
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", bytes).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** What zbar reads in an image of a data: URL, drawn as far as our images go. */
async function readQrCode(url) {
  const prefix = "data:image/svg+xml;utf-8,";
  assert.ok(url.startsWith(prefix));
  const svg = url.slice(prefix.length);
  const side = Number(/viewBox="0 0 (\d+) /.exec(svg)[1]);
  const kScale = 4;
  const pixels = Buffer.alloc((side * kScale) ** 2, 255);
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-/g)) {
    for (let row = y * kScale; row < (Number(y) + 1) * kScale; ++row)
      pixels.fill(0, row * side * kScale + x * kScale, row * side * kScale + (Number(x) + Number(width)) * kScale);
  }
  const folder = await mkdtemp(join(tmpdir(), "qylon-qr-"));
  try {
    const file = join(folder, "code.pgm");
    await writeFile(file, Buffer.concat([Buffer.from(`P5 ${side * kScale} ${side * kScale} 255\n`), pixels]));
    const { stdout } = await promisify(execFile)("zbarimg", ["--quiet", "--raw", file]);
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("supabase-js signs up, verifies by mail, logs in, refreshes, shows a second factor and signs out", { timeout: 60_000 }, async () => {
  const supabase = client({ experimental: { recoveryCodes: true } });
  const email = "ann@example.org";
  const made = await good(supabase.auth.signUp({ email, password: kPassword, options: { data: { name: "Ann" } } }));
  assert.equal(made.session, null);
  assert.equal(made.user.email, email);
  const early = await supabase.auth.signInWithPassword({ email, password: kPassword });
  assert.equal(early.error.code, "email_not_confirmed");

  const mail = await mailTo(email, "Confirm your address");
  const verified = await good(supabase.auth.verifyOtp({ email, token: codeIn(mail), type: "signup" }));
  assert.equal(verified.user.id, made.user.id);
  assert.notEqual(verified.user.email_confirmed_at, null);

  const login = await good(supabase.auth.signInWithPassword({ email, password: kPassword }));
  assert.equal(login.user.user_metadata.name, "Ann");
  assert.equal((await good(supabase.auth.getUser())).user.email, email);
  const { claims } = await good(supabase.auth.getClaims());
  assert.equal(claims.aal, "aal1");
  assert.equal((await good(supabase.auth.updateUser({ data: { team: "red" } }))).user.user_metadata.team, "red");
  const refreshed = await good(supabase.auth.refreshSession());
  assert.notEqual(refreshed.session.refresh_token, login.session.refresh_token);

  const factor = await good(supabase.auth.mfa.enroll({ factorType: "totp", friendlyName: "phone" }));
  assert.match(factor.totp.uri, /^otpauth:\/\/totp\/Qylon:ann%40example\.org\?secret=/);
  assert.equal(await readQrCode(factor.totp.qr_code), factor.totp.uri);
  const wrong = await supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: "000000x" });
  assert.equal(wrong.error.code, "mfa_verification_failed");
  await good(supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }));
  const level = await good(supabase.auth.mfa.getAuthenticatorAssuranceLevel());
  assert.deepEqual([level.currentLevel, level.nextLevel], ["aal2", "aal2"]);
  assert.equal((await good(supabase.auth.mfa.listFactors())).totp.length, 1);

  const { codes } = await good(supabase.auth.mfa.recoveryCodes.generate());
  assert.equal(codes.length, 10);
  const other = client({ experimental: { recoveryCodes: true } });
  await good(other.auth.signInWithPassword({ email, password: kPassword }));
  assert.equal((await good(other.auth.mfa.getAuthenticatorAssuranceLevel())).currentLevel, "aal1");
  await good(other.auth.mfa.recoveryCodes.verify({ code: codes[0] }));
  assert.equal((await good(other.auth.mfa.getAuthenticatorAssuranceLevel())).currentLevel, "aal2");

  await good(supabase.auth.mfa.unenroll({ factorId: factor.id }));
  const { session } = await good(supabase.auth.getSession());
  assert.equal((await supabase.auth.signOut()).error, null);
  const gone = await fetch(`${server.url}/auth/v1/user`, { headers: { Authorization: `Bearer ${session.access_token}` } });
  assert.equal(gone.status, 401);
});

/** A client with the server's own token. */
function administrator() {
  return createClient(server.url, server.token, { auth: { persistSession: false }, realtime: { transport: WebSocket } });
}

test("a forgotten password is set anew by mail", { timeout: 60_000 }, async () => {
  const email = "flo@example.org";
  const admin = administrator();
  await good(admin.auth.admin.createUser({ email, password: kPassword, email_confirm: true }));
  const elsewhere = client();
  await good(elsewhere.auth.signInWithPassword({ email, password: kPassword }));

  const supabase = client();
  await good(supabase.auth.resetPasswordForEmail(email));
  const token = codeIn(await mailTo(email, "Reset your password"));
  await good(supabase.auth.verifyOtp({ email, token, type: "recovery" }));
  await good(supabase.auth.updateUser({ password: "battery staple horse" }));

  assert.equal((await client().auth.signInWithPassword({ email, password: kPassword })).error.code, "invalid_credentials");
  await good(client().auth.signInWithPassword({ email, password: "battery staple horse" }));
  assert.notEqual((await elsewhere.auth.refreshSession()).error, null);
  assert.equal((await client().auth.verifyOtp({ email, token, type: "recovery" })).error.code, "otp_expired");
});

test("a login sets a cookie that speaks for the user until the logout", { timeout: 60_000 }, async () => {
  const email = "kim@example.org";
  const admin = await administrator();
  await good(admin.auth.admin.createUser({ email, password: kPassword, email_confirm: true }));
  const login = await fetch(`${server.url}/api/auth/login`, { method: "POST", body: JSON.stringify({ email, password: kPassword }) });
  assert.equal(login.status, 200);
  assert.equal((await login.json()).user.email, email);
  const set = login.headers.get("Set-Cookie");
  assert.match(set, /; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict$/);
  const headers = { Cookie: `theme=dark; ${set.split(";")[0]}` };
  const me = () => fetch(`${server.url}/api/users/me`, { headers });
  assert.equal((await (await me()).json()).email, email);
  const out = await fetch(`${server.url}/api/auth/logout`, { method: "POST", headers });
  assert.match(out.headers.get("Set-Cookie"), /Max-Age=0/);
  assert.equal((await me()).status, 401);
});

test("a confirmation is sent again to who has not confirmed, and to nobody else", { timeout: 60_000 }, async () => {
  const admin = administrator();
  await good(admin.auth.admin.createUser({ email: "gil@example.org", password: kPassword }));
  await good(admin.auth.admin.createUser({ email: "hal@example.org", password: kPassword, email_confirm: true }));
  const supabase = client();
  await good(supabase.auth.resend({ type: "signup", email: "hal@example.org" }));
  await good(supabase.auth.resend({ type: "signup", email: "gil@example.org" }));
  const token = codeIn(await mailTo("gil@example.org", "Confirm your address"));
  // One thread sends mails in order, so one to Hal would have come before.
  assert.ok(!mails.some((mail) => mail.to.includes("hal@example.org")));
  await good(supabase.auth.verifyOtp({ email: "gil@example.org", token, type: "signup" }));
});

test("a new address is the user's when its own mail says so", { timeout: 60_000 }, async () => {
  const admin = administrator();
  await good(admin.auth.admin.createUser({ email: "ida@example.org", password: kPassword, email_confirm: true }));
  const supabase = client();
  await good(supabase.auth.signInWithPassword({ email: "ida@example.org", password: kPassword }));
  const waiting = await good(supabase.auth.updateUser({ email: "ida2@example.org" }));
  assert.deepEqual([waiting.user.email, waiting.user.new_email], ["ida@example.org", "ida2@example.org"]);
  const first = codeIn(await mailTo("ida2@example.org", "Confirm your new address"));

  // Asked for again by the address that the account still has.
  await good(client().auth.resend({ type: "email_change", email: "ida@example.org" }));
  const token = codeIn(await mailTo("ida2@example.org", "Confirm your new address"));
  if (token !== first) {
    const old = await supabase.auth.verifyOtp({ email: "ida2@example.org", token: first, type: "email_change" });
    assert.equal(old.error.code, "otp_expired");
  }

  // Somebody else's address, to which no mail may go now, must not take the place of the first.
  await good(client().auth.resetPasswordForEmail("jan@example.org"));
  const early = await supabase.auth.updateUser({ email: "jan@example.org" });
  assert.equal(early.error.code, "over_email_send_rate_limit");

  const changed = await good(supabase.auth.verifyOtp({ email: "ida2@example.org", token, type: "email_change" }));
  assert.equal(changed.user.email, "ida2@example.org");
  await good(client().auth.signInWithPassword({ email: "ida2@example.org", password: kPassword }));
});

test("nobody learns who has an account", { timeout: 60_000 }, async () => {
  const email = "ben@example.org";
  const supabase = client();
  await good(supabase.auth.signUp({ email, password: kPassword }));
  await good(supabase.auth.verifyOtp({ email, token: codeIn(await mailTo(email, "Confirm")), type: "signup" }));
  const again = await good(client().auth.signUp({ email, password: "another horse" }));
  assert.deepEqual(again.user.identities, []);
  await supabase.auth.signOut();

  const unknown = await supabase.auth.resetPasswordForEmail("nobody@example.org");
  assert.equal(unknown.error, null);
  const early = await supabase.auth.resetPasswordForEmail(email);
  assert.equal(early.error.code, "over_email_send_rate_limit");
});

test("a mailed link leads a PKCE client back with a code that only it can use", { timeout: 60_000 }, async () => {
  const email = "cat@example.org";
  const supabase = client({ flowType: "pkce" });
  await good(supabase.auth.signUp({ email, password: kPassword, options: { emailRedirectTo: `${server.url}/done` } }));
  const link = /(http\S+verify\S+)/.exec(await mailTo(email, "Confirm"))[1];
  const followed = await fetch(link, { redirect: "manual" });
  assert.equal(followed.status, 303);
  const to = new URL(followed.headers.get("location"));
  assert.equal(to.pathname, "/done");
  const { session } = await good(supabase.auth.exchangeCodeForSession(to.searchParams.get("code")));
  assert.equal(session.user.email, email);
  const twice = await fetch(link, { redirect: "manual" });
  assert.match(twice.headers.get("location"), /error_code=otp_expired/);
});

test("the server's own token administers users; nobody else's does", { timeout: 60_000 }, async () => {
  const admin = administrator();
  const { user } = await good(
    admin.auth.admin.createUser({ email: "dan@example.org", password: kPassword, email_confirm: true }),
  );
  assert.ok((await good(admin.auth.admin.listUsers())).users.some((other) => other.id === user.id));
  await good(admin.auth.admin.inviteUserByEmail("eve@example.org"));
  await mailTo("eve@example.org", "You have been invited");
  const dan = client();
  await good(dan.auth.signInWithPassword({ email: "dan@example.org", password: kPassword }));
  const { session } = await good(dan.auth.getSession());
  const refused = await fetch(`${server.url}/auth/v1/admin/users`, {
    headers: { Authorization: `Bearer ${session.access_token}` },
  });
  assert.equal(refused.status, 403);
  await good(admin.auth.admin.updateUserById(user.id, { ban_duration: "24h" }));
  assert.equal((await dan.auth.signInWithPassword({ email: "dan@example.org", password: kPassword })).error.code, "user_banned");
  await good(admin.auth.admin.deleteUser(user.id));
  assert.equal((await admin.auth.admin.getUserById(user.id)).error.code, "user_not_found");
});

test("users of a trusted issuer come in by the keys that it publishes, and nobody as the server", { timeout: 60_000 }, async () => {
  const ask = (role) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: kIssuer, aud: "authenticated", role, sub: "11111111-2222-4333-8444-555555555555", iat: now, exp: now + 600 };
    const text = [{ alg: "ES256", typ: "JWT", kid: "k1" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = sign("sha256", Buffer.from(text), { key: issuerKey.privateKey, dsaEncoding: "ieee-p1363" });
    const token = `${text}.${signature.toString("base64url")}`;
    return fetch(`${server.url}/auth/v1/sessions`, { headers: { Authorization: `Bearer ${token}` } });
  };
  const answer = await ask("authenticated");
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { sessions: [] });
  assert.equal((await ask("service_role")).status, 401);
});
