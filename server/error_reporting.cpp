#include "server/error_reporting.hpp"

#include "server/secret_setting.hpp"
#include "server/settings.hpp"

namespace qylon::server {

Result<std::unique_ptr<api::ErrorReports>> report_errors(const Settings& settings,
                                                         const ErrorReporting& parts) {
  if (settings.error_reports_file.empty()) return std::unique_ptr<api::ErrorReports>();
  const auto dsn = read_secret_file(settings.error_reports_file, "error-reports-file");
  if (!dsn) return dsn.error();
  auto reports = api::ErrorReports::create(*dsn, parts.clock, parts.counters);
  if (!reports)
    return Error{reports.error().code, "error-reports-file: " + reports.error().message};
  parts.log.set_observer(reports->get());
  return reports;
}

}  // namespace qylon::server
