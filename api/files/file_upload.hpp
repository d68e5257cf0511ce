#pragma once
/// A file that comes in one piece or many.

#include <cstdint>
#include <string>

#include "api/files/file_store.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"

namespace qylon::api {

struct FilePiece {
  std::string bucket;
  std::string path;
  std::string content_type;
  std::string sha256;       ///< Of the whole file, in hexadecimal; or empty: not told.
  std::int64_t offset = 0;  ///< 0 begins the upload anew.
  bool more = false;        ///< Others follow.
  std::string_view bytes;
};
struct TakenPiece {
  bool finished = false;
  std::string json;  ///< The file, or `{"offset":N}`: where the next piece begins.
};
/// The piece and the upload's place are one transaction; a file shows when it has come in full.
/// Errors: kNotFound for a bucket or upload that is not there; kConflict when the upload stands
///         elsewhere, saying where; kInvalidArgument for a size, type, path or sum that is not as
///         the bucket or the caller has it; those of FileStore and Session::transact_as.
Result<TakenPiece> take_piece(storage::Session& session,
                              const Principal& principal,
                              const FileStore& store,
                              const FilePiece& piece);

}  // namespace qylon::api
