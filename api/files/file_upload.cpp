#include "api/files/file_upload.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "api/files/file_sql.hpp"
#include "storage/sql.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlValue;

std::int64_t number(const SqlValue& value) {
  std::int64_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}
Error wrong(const std::string& message) {
  return {ErrorCode::kInvalidArgument, message};
}

struct Upload {
  std::string blob;
  std::vector<std::string> replaced;  // Blobs that are not needed any more.
};

struct Bucket {
  std::string id;
  std::string org;
};

Result<Bucket> find_bucket(Sql& sql, const FilePiece& piece) {
  const auto rows = sql.rows(kFindBucket, {piece.bucket, piece.content_type});
  if (rows.empty())
    return Error{ErrorCode::kNotFound, "there is no such bucket, or it is not visible to you"};
  const std::int64_t bytes_max = number(rows[0][2]);
  if (piece.offset > bytes_max - static_cast<std::int64_t>(piece.bytes.size()))
    return wrong("the bucket takes files of at most " + std::to_string(bytes_max) + " bytes");
  if (rows[0][3] != "t") return wrong("the bucket does not take " + piece.content_type);
  return Bucket{.id = rows[0][0].value_or(""), .org = rows[0][1].value_or("")};
}

/// The upload that this piece continues or begins.
Result<Upload> find_upload(Sql& sql, const Bucket& bucket, const FilePiece& piece) {
  const auto rows = sql.rows(kFindUpload, {bucket.id, piece.path});
  if (piece.offset == 0) {
    Upload upload;
    if (!rows.empty()) {
      upload.replaced.push_back(rows[0][0].value_or(""));
      sql.run(kDeleteUpload, {rows[0][0]});
    }
    upload.blob = sql.value(kInsertUpload, {bucket.id, piece.path, bucket.org, piece.content_type})
                      .value_or("");
    return upload;
  }
  if (rows.empty()) return Error{ErrorCode::kNotFound, "no such upload has begun"};
  if (number(rows[0][1]) != piece.offset) {
    return Error{ErrorCode::kConflict, "the upload stands at offset " + rows[0][1].value_or("0")};
  }
  return Upload{.blob = rows[0][0].value_or(""), .replaced = {}};
}

bool valid_path(const std::string& path) {
  const bool clean = std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return c >= 0x20 && c != 0x7F && c != '\\';
  });
  const std::string framed = "/" + path + "/";
  return clean && !path.empty() && framed.find("//") == std::string::npos &&
         framed.find("/./") == std::string::npos && framed.find("/../") == std::string::npos;
}

/// The file becomes visible.
Result<std::string> finish(Sql& sql,
                           const FileStore& store,
                           const Bucket& bucket,
                           const FilePiece& piece,
                           Upload& upload) {
  const auto sum = store.finish(upload.blob);
  if (!sum) return sum.error();
  if (!piece.sha256.empty() && piece.sha256 != *sum)
    return wrong("the file came with SHA-256 " + *sum + ", not the one that was told");
  const auto before = sql.value(kFindReplaced, {bucket.id, piece.path});
  if (before) upload.replaced.push_back(*before);
  const auto json = sql.value(kInsertFile, {upload.blob, *sum});
  sql.run(kDeleteUpload, {upload.blob});
  return json.value_or("{}");
}

}  // namespace

Result<TakenPiece> take_piece(storage::Session& session,
                              const Principal& principal,
                              const FileStore& store,
                              const FilePiece& piece) {
  if (!valid_path(piece.path))
    return wrong("a path has no empty, \".\" or \"..\" part, no \\ and no control character");
  TakenPiece taken;
  Upload upload;
  const Status status =
      session.transact_as(principal, [&](pqxx::transaction_base& transaction) -> Status {
        Sql sql(transaction);
        const auto bucket = find_bucket(sql, piece);
        if (!bucket) return bucket.error();
        const auto found = find_upload(sql, *bucket, piece);
        if (!found) return found.error();
        upload = *found;
        const Status written = store.write(upload.blob, piece.offset, piece.bytes);
        if (!written) return written;
        const std::string end =
            std::to_string(piece.offset + static_cast<std::int64_t>(piece.bytes.size()));
        sql.run(kMoveUpload, {upload.blob, end});
        if (piece.more) {
          taken.json = R"({"offset":)" + end + "}";
          return ok();
        }
        const auto json = finish(sql, store, *bucket, piece, upload);
        if (!json) return json.error();
        taken = {.finished = true, .json = *json};
        return ok();
      });
  if (!status) {
    // A lost answer to COMMIT leaves it open whether the blob is needed; then it stays.
    const bool began = piece.offset == 0 && !upload.blob.empty();
    if (began && status.error().code != ErrorCode::kUnavailable) store.remove(upload.blob);
    return status.error();
  }
  for (const std::string& blob : upload.replaced)
    store.remove(blob);
  return taken;
}

}  // namespace qylon::api
