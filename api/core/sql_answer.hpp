#pragma once
/// Answers that one statement makes.

#include <string>

#include "api/core/call.hpp"
#include "api/core/crud_sql.hpp"
#include "core/http.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// The statement's first column as the body, which must be JSON; it runs as the caller. No row, or
/// null, is 404 with `missing`. What the caller's body refers to and is not there is 400.
HttpResponse sql_answer(const Call& call,
                        storage::Session& session,
                        const Statement& statement,
                        const std::string& missing,
                        int status = 200);

/// As above when the path names a row of `entity` by its id, which is the statement's $1: what is
/// no UUID is 404 too.
HttpResponse sql_answer_about(const Call& call,
                              storage::Session& session,
                              const std::string& entity,
                              Statement statement,
                              int status = 200);

}  // namespace qylon::api
