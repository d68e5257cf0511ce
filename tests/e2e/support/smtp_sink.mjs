// A mail server of a process of its own, which keeps what it is given. It prints its port, then one
// JSON object a mail: {from, to, text}. What an SMTP client wants of it: RFC 5321 section 4.5.1.

import { createServer } from "node:net";

function serve(socket) {
  let text = "";
  let body = null;
  let mail = { from: "", to: [] };
  const say = (line) => socket.write(line + "\r\n");
  const take = (line) => {
    if (body !== null) {
      if (line !== ".") return void body.push(line.replace(/^\.\./, "."));
      console.log(JSON.stringify({ ...mail, text: body.join("\n") }));
      body = null;
      mail = { from: "", to: [] };
      return say("250 kept");
    }
    const address = /<([^>]*)>/.exec(line)?.[1] ?? "";
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "EHLO" || verb === "HELO" || verb === "RSET" || verb === "NOOP") return say("250 ok");
    if (verb === "MAIL") mail.from = address;
    if (verb === "RCPT") mail.to.push(address);
    if (verb === "MAIL" || verb === "RCPT") return say("250 ok");
    if (verb === "DATA") {
      body = [];
      return say("354 go on");
    }
    if (verb === "QUIT") return void socket.end("221 bye\r\n");
    say("502 not known");
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    text += bytes.toString("utf8");
    for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      take(line);
    }
  });
  say("220 sink");
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
