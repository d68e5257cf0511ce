#pragma once

#include <memory>

#include "api/core/error_reports.hpp"

namespace qylon::server {

struct Settings;

struct ErrorReporting {
  Log& log;
  const Clock& clock;
  Counters& counters;
};

/// What sends the log's errors on, already listening; null when the settings name no place. It must
/// outlive every thread that logs.
/// Errors: kInvalidArgument for a file that cannot be read or holds no such address.
Result<std::unique_ptr<api::ErrorReports>> report_errors(const Settings& settings,
                                                         const ErrorReporting& parts);

}  // namespace qylon::server
