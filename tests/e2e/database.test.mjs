// A PostgreSQL of somebody else's, over TLS.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { freePort } from "./support/free_port.mjs";
import { run, Server } from "./support/server.mjs";

const kBin = "/usr/lib/postgresql/15/bin";
const skip = existsSync(`${kBin}/initdb`) && spawnSync("openssl", ["version"]).status === 0 ? false : "PostgreSQL 15 or openssl is not installed";

let folder;
let url;
before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "qylon-database-"));
  await chmod(folder, 0o777); // PostgreSQL refuses root, so it may run as another user.
  const cluster = join(folder, "cluster");
  asPostgres("initdb", "--pgdata", cluster, "--username", "owner", "--auth", "trust", "--no-sync");
  const certificate = [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
    "-keyout", join(cluster, "server.key"), "-out", join(cluster, "server.crt"),
  ];
  succeed(asUser("openssl", certificate));
  succeed(asUser("cp", [join(cluster, "server.crt"), folder]));
  await writeFile(join(cluster, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n");
  const port = await freePort();
  const settings = `listen_addresses='127.0.0.1'\nport=${port}\nunix_socket_directories=''\nssl=on\nfsync=off\n`;
  await appendFile(join(cluster, "postgresql.conf"), settings);
  asPostgres("pg_ctl", "--pgdata", cluster, "--log", join(folder, "log"), "--wait", "start");
  url = `host=127.0.0.1 port=${port} user=owner dbname=postgres`;
}, { timeout: 60_000 });
after(async () => {
  if (!folder) return;
  asPostgres("pg_ctl", "--pgdata", join(folder, "cluster"), "--mode", "immediate", "stop");
  await rm(folder, { recursive: true, force: true });
});

function asUser(program, words) {
  if (process.getuid() !== 0) return spawnSync(program, words, { cwd: "/" });
  return spawnSync("runuser", ["-u", "postgres", "--", program, ...words], { cwd: "/" });
}
function succeed({ status, stdout, stderr }) {
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout?.toString();
}
function asPostgres(program, ...words) {
  succeed(asUser(`${kBin}/${program}`, words));
}

test("every connection to PostgreSQL is as its sslmode says", { skip, timeout: 120_000 }, async () => {
  const trusting = `${url} sslmode=verify-full sslrootcert=${join(folder, "server.crt")}`;
  const server = await Server.start({ flags: ["--database-url", trusting] });
  try {
    await server.createMeeting("Over TLS");
    const seen = spawnSync(`${kBin}/psql`, [
      "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", `${url} sslmode=require`, "--command",
      "select count(*), bool_and(ssl), min(version) from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'qylon'",
    ]);
    const [count, encrypted, version] = succeed(seen).trim().split("|");
    assert.ok(Number(count) >= 4 && encrypted === "t", seen.stdout.toString());
    assert.equal(version, "TLSv1.3");
  } finally {
    await server.stop();
  }
});

test("a PostgreSQL that nobody vouches for, or that wants TLS and gets none, is not used", { skip, timeout: 60_000 }, async () => {
  for (const mode of ["sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt", "sslmode=disable"]) {
    const refused = await run(["serve", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data"), "--database-url", `${url} ${mode}`]);
    assert.equal(refused.code, 1, refused.stderr);
  }
});
