// The OpenAPI document that the server gives passes two public linters, requests made from it get the
// answers that it names, and the generated client compiles under tsc's strict rules and works.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Validator } from "@seriousme/openapi-schema-validator";

import { run, Server } from "./support/server.mjs";

let server;
let sink;
let folder;
let text;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qylon-reference-"));
  sink = spawn(process.execPath, [fileURLToPath(new URL("./support/smtp_sink.mjs", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = Number((await once(createInterface({ input: sink.stdout }), "line"))[0]);
  sink.stdout.resume();
  server = await Server.start({ flags: ["--sign-up", "--smtp-url", `smtp://127.0.0.1:${port}`, "--mail-from", "qylon@example.org"] });
  const answer = await fetch(`${server.url}/api/openapi.json`);
  assert.equal(answer.status, 200);
  text = await answer.text();
}, { timeout: 120_000 });
after(async () => {
  await server?.stop();
  sink?.kill();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate(JSON.parse(text));
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(validator.version, "3.1");
});

test("Redocly's recommended rules find nothing", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({
    source: text,
    absoluteRef: "/openapi.json",
    config,
  });
  assert.deepEqual(problems.map((problem) => `${problem.ruleId}: ${problem.message} ${problem.location[0]?.pointer}`), []);
});

test("every path that the document names is a route, and its events are webhooks", async () => {
  const document = JSON.parse(text);
  for (const [path, verbs] of Object.entries(document.paths)) {
    for (const verb of Object.keys(verbs)) {
      const answer = await server.fetch(path.replace(/\{[^}]*\}/g, "x"), { method: verb.toUpperCase(), redirect: "manual" });
      assert.notEqual(answer.status, 405, `${verb} ${path}`);
      assert.ok(answer.status < 500, `${verb} ${path}: ${answer.status}`);
    }
  }
  assert.ok("org.created" in document.webhooks);
});

/** Numbers in 0..1 that a seed repeats (mulberry32). */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Requests for an operation of the document: mostly as it says, some not. */
function requests(document, seed, emails = ["a@example.org"]) {
  const next = random(seed);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const odd = ["", "\u0000", "x".repeat(5000), "\ud83d\ude00", "'; --", "eq.", "eq.1", "in.(a,\"b", "is.null", "cs.{", "9".repeat(30)];
  const value = (schema) => {
    if (next() < 0.2) return pick([null, 7, -1.5e300, true, [], {}, ...odd]);
    if (schema.$ref) return value(document.components.schemas[schema.$ref.split("/").at(-1)]);
    if (schema.enum) return pick(schema.enum);
    const type = pick([schema.type].flat());
    if (type === "object") {
      const members = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name) || next() < 0.5);
      return Object.fromEntries(members.map(([name, inner]) => [name, value(inner)]));
    }
    if (type === "array") return [value(schema.items ?? { type: "string" })];
    if (type === "integer" || type === "number") return Math.floor(next() * 100);
    if (type === "boolean") return next() < 0.5;
    if (type === "null") return null;
    if (schema.format === "uuid") return "00000000-0000-4000-8000-00000000000" + Math.floor(next() * 10);
    if (schema.format === "date-time") return "2026-11-21T18:41:10Z";
    if (schema.format === "date") return "2026-11-21";
    return schema.format === "email" ? pick(emails) : "text";
  };
  const ids = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
  return (path, operation) => {
    const query = new URLSearchParams();
    // The edge hangs up on a NUL in an address, and on a very long one, so only bodies have these.
    for (const parameter of operation.parameters ?? [])
      if (parameter.in === "query" && next() < (parameter.required ? 0.8 : 0.2)) query.append(parameter.name, (next() < 0.3 ? pick(odd) : String(value(parameter.schema))).replaceAll("\u0000", "").slice(0, 500));
    const target = path.replace(/\{[^}]*\}/g, () => pick(["x", ids[0], ids[1], "%27"])) + `?${query}`;
    const schema = operation.requestBody?.content["application/json"].schema;
    return { target, body: schema && (next() < 0.1 ? pick(odd) : JSON.stringify(value(schema))) };
  };
}

/** Sends one, and holds the answer against what the document names. */
async function checkAnswer(verb, operation, { target, body }, headers) {
  const answer = await fetch(server.url + target, {
    method: verb.toUpperCase(),
    redirect: "manual",
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body }),
  });
  const said = await answer.text();
  assert.ok(String(answer.status) in operation.responses, `${verb} ${target} ${body}: ${answer.status} ${said}`);
  assert.ok(answer.status < 500, `${verb} ${target} ${body}: ${answer.status} ${said}`);
  return answer.status;
}

test("requests made from the document get only answers that it names", async () => {
  const document = JSON.parse(text);
  const make = requests(document, 20261121);
  let count = 0;
  for (const [path, verbs] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      if (operation.tags[0] === "other") continue;
      for (let round = 0; round < 40; ++round, ++count) await checkAnswer(verb, operation, make(path, operation), server.authorization);
    }
  }
  assert.ok(count > 300, `${count}`);
});

test("so do those about identity, of a user and of nobody", { timeout: 120_000 }, async () => {
  const document = JSON.parse(text);
  const emails = ["a@example.org", ""];
  const make = requests(document, 20261122, emails);
  const seen = new Set();
  let count = 0;
  for (const [path, verbs] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      if (operation.tags[0] !== "identity") continue;
      // A new user for each: some sign the user out, change the password, or use up the attempts.
      const account = { email: `ann${count}@example.org`, password: "correct horse battery" };
      emails[1] = account.email;
      assert.equal((await server.json("POST", "/auth/v1/admin/users", { ...account, email_confirm: true })).status, 200);
      const login = await fetch(`${server.url}/api/auth/login`, { method: "POST", body: JSON.stringify(account) });
      assert.equal(login.status, 200);
      const { access_token: token } = await login.json();
      for (const headers of [{ Authorization: `Bearer ${token}` }, {}]) {
        for (let round = 0; round < 20; ++round, ++count)
          seen.add(await checkAnswer(verb, operation, make(path, operation), headers));
      }
    }
  }
  assert.ok(count > 1_000, `${count}`);
  for (const status of [200, 201, 204, 303, 400, 401, 403, 404, 422, 429]) assert.ok(seen.has(status), `${status} never came`);
});

test("the generated client compiles strictly, and reads what is there", async () => {
  const { code, stdout } = await run(["schema", "client"]);
  assert.equal(code, 0);
  const source = join(folder, "client.ts");
  await writeFile(source, stdout);
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({
    compilerOptions: {
      strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noUnusedLocals: true,
      target: "es2022", module: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [],
    },
    files: ["client.ts"],
  }));
  const tsc = createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc");
  const compiled = spawnSync(process.execPath, [tsc, "--project", folder]);
  assert.equal(compiled.status, 0, compiled.stdout.toString());
  const { Qylon, QylonError } = await import(pathToFileURL(join(folder, "client.js")));
  const qylon = new Qylon({ url: server.url, token: server.token });
  const { items } = await qylon.orgs.list({ where: { name: "neq.nobody" }, order: "name.asc" });
  assert.equal(items.length, 1);
  const renamed = await qylon.orgs.update(items[0].id, { name: "Everybody" });
  assert.equal(renamed.name, "Everybody");
  await assert.rejects(qylon.orgs.update(items[0].id, { name: 7 }), (error) => {
    assert.ok(error instanceof QylonError);
    assert.deepEqual(error.errors, [{ pointer: "/name", detail: "must be a string" }]);
    return true;
  });
});
