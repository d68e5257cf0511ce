#pragma once
/// What is wrong with a schema's security and keys, whoever wrote it.

#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::api {

/// Problems of the schemas `public` and `app`, one sentence each, sorted; empty: none.
///
/// Ten rules, after Splinter's 0001, 0003, 0006, 0008, 0010, 0011, 0013, 0015 and 0024: a foreign
/// key without an index; a policy that calls a function once a row; two permissive policies of one
/// role and verb; row security without a policy; a view that works as its owner; a function whose
/// search_path its caller chooses; row security off or not forced; a policy that reads
/// user_metadata; a policy that always says yes to callers (adding excepted); a grant on a
/// partition or to everybody.
Result<std::vector<std::string>> lint_schema(storage::PgConnection& owner);

}  // namespace qylon::api
