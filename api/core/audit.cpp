#include "api/core/audit.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "api/core/wrapped_file.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/unique_fd.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlValue;

constexpr std::string_view kFormat = "qylon-audit-1";
constexpr std::string_view kKeyContext = "qylon audit key";
constexpr std::size_t kProblemsMax = 100;
constexpr std::size_t kSignatureChars = 86;  // 64 bytes in base64url.

// The same array as in app.audit. What the database's own functions say is not asked: who changes
// rows can change those too.
constexpr std::string_view kFindChanged =
    "with chain as (select org_id, seq, prev, hash,"
    " lag(seq, 1, 0::bigint) over w as seq_before,"
    " lag(hash, 1, decode(repeat('00', 32), 'hex')) over w as hash_before,"
    " sha256(prev || convert_to(jsonb_build_array(org_id, seq,"
    " (extract(epoch from created_at) * 1000000)::bigint, actor, action, subject, detail)::text,"
    " 'UTF8')) as made from audit_log window w as (partition by org_id order by seq)),"
    " judged as (select org_id, seq, case when seq <> seq_before + 1 then 'rows before it are gone'"
    " when prev <> hash_before then 'it does not continue the row before it'"
    " when hash <> made then 'it was edited' end as problem from chain)"
    " select org_id, seq, problem from judged where problem is not null order by org_id, seq limit "
    "100";
constexpr std::string_view kFindCut =
    "select h.org_id, h.seq from audit_heads h where h.seq <>"
    " coalesce((select max(seq) from audit_log l where l.org_id = h.org_id), 0)"
    " or h.hash is distinct from coalesce((select hash from audit_log l where l.org_id = h.org_id"
    " and l.seq = h.seq), decode(repeat('00', 32), 'hex'))"
    " union all select distinct l.org_id, 0::bigint from audit_log l"
    " where not exists (select from audit_heads h where h.org_id = l.org_id) limit 100";

std::size_t number(const SqlValue& value) {
  std::size_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}

Error failed(const std::string& what, const std::string& path) {
  return {ErrorCode::kUnavailable, "cannot " + what + " " + path + ": " + std::strerror(errno)};
}

/// On the disk before it returns.
Status append_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return failed("open", path);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed("write", path);
  if (::fsync(fd.get()) != 0) return failed("sync", path);
  return ok();
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> split(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; words.size() < 8 && stream >> word;)
    words.push_back(word);
  return words;
}

void add_problem(AuditTrail::Report& report, std::string problem) {
  if (report.problems.size() < kProblemsMax) report.problems.push_back(std::move(problem));
}

}  // namespace

void audit(Sql& sql, const AuditEntry& entry) {
  const auto optional = [](const std::string& text) {
    return text.empty() ? SqlValue{} : SqlValue{text};
  };
  sql.rows("select app.audit($1::uuid, $2, $3, $4::jsonb, $5::uuid)",
           {optional(entry.org), entry.action, entry.subject, entry.detail, optional(entry.actor)});
}

Subscription audit_of_events() {
  return {.name = "audit", .types = {}, .handle = [](Sql& sql, const Event& event) {
            audit(sql,
                  {.org = event.org,
                   .action = event.type,
                   .subject = event.stream,
                   .detail = R"({"event":")" + event.id + R"(","version":)" +
                             std::to_string(event.version) + R"(,"sha256":")" +
                             hex(sha256(event.data)) + R"("})",
                   .actor = event.actor});
            return ok();
          }};
}

Result<AuditTrail> AuditTrail::open(const std::string& dir, const MasterKeys& masters) {
  const std::string path = dir + "/audit-key";
  const auto der = load_or_create_wrapped(path, kKeyContext, masters, [] {
    const std::vector<std::uint8_t> made = SigningKey::generate().private_der();
    return std::string(made.begin(), made.end());
  });
  if (!der) return der.error();
  auto key =
      SigningKey::from_der({reinterpret_cast<const std::uint8_t*>(der->data()), der->size()});
  if (!key) return key.error();
  return AuditTrail(dir, *std::move(key));
}

Status AuditTrail::checkpoint(Sql& sql, std::int64_t unix_s) const {
  const auto grown = sql.rows(
      "select org_id, seq, encode(hash, 'hex') from audit_heads h where seq > 0 and not exists"
      " (select from audit_checkpoints c where c.org_id = h.org_id and c.seq >= h.seq)"
      " order by org_id limit 10000");
  if (grown.empty()) return ok();
  std::string lines;
  for (const auto& row : grown) {
    std::string line = std::string(kFormat) + " " + row[0].value_or("") + " " +
                       row[1].value_or("") + " " + row[2].value_or("") + " " +
                       std::to_string(unix_s) + " " + key_.thumbprint();
    line += " " + base64url(key_.sign(line));
    sql.run("insert into audit_checkpoints (org_id, seq, line) values ($1, $2, $3)",
            {row[0], row[1], line});
    lines += line + "\n";
  }
  const std::string before = read_file(file_path());
  if (!before.empty() && before.back() != '\n') lines.insert(0, "\n");  // A torn line.
  return append_file(file_path(), lines);
}

void AuditTrail::check_line(Sql& sql, const std::string& line, Report& report) const {
  const auto words = split(line);
  const std::size_t end = line.rfind(' ');
  const auto signature = words.size() == 7 ? parse_base64url(words[6]) : std::nullopt;
  const auto point = key_.point();
  const auto key = JwtKey::es256(point.x, point.y);
  if (!signature || words[0] != kFormat || !key || !key->verify(line.substr(0, end), *signature))
    return add_problem(report, "a checkpoint is not ours: " + line.substr(0, 200));
  const auto hash = sql.value(
      "select encode(hash, 'hex') from audit_log where org_id = $1::uuid and seq = $2::bigint",
      {words[1], words[2]});
  const std::string row = "organisation " + words[1] + ", row " + words[2] + ": ";
  if (!hash) return add_problem(report, row + "it was signed and is gone; the end was cut off");
  if (*hash != words[3]) add_problem(report, row + "it is not what was signed");
}

Result<AuditTrail::Report> AuditTrail::verify(Sql& sql) const {
  Report report;
  report.rows = number(sql.value("select count(*) from audit_log"));
  report.chains = number(sql.value("select count(*) from audit_heads"));
  for (const auto& row : sql.rows(kFindChanged)) {
    add_problem(report,
                "organisation " + row[0].value_or("") + ", row " + row[1].value_or("") + ": " +
                    row[2].value_or(""));
  }
  for (const auto& row : sql.rows(kFindCut)) {
    add_problem(report,
                "organisation " + row[0].value_or("") + ": its last row is not row " +
                    row[1].value_or("") + ", as its head says");
  }
  std::set<std::string> lines;
  for (const auto& row : sql.rows("select line from audit_checkpoints"))
    lines.insert(row[0].value_or(""));
  std::istringstream file(read_file(file_path()));
  for (std::string line; std::getline(file, line);) {
    // A crash may have torn a line. Taking it for none is no weaker than that lines can be deleted.
    if (line.size() - line.rfind(' ') == kSignatureChars + 1) lines.insert(line);
  }
  report.checkpoints = lines.size();
  for (const std::string& line : lines)
    check_line(sql, line, report);
  return report;
}

}  // namespace qylon::api
