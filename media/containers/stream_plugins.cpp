#include "media/containers/stream_plugins.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <gst/gst.h>

#include "media/elements/gst_ptr.hpp"

namespace qylon::media {
namespace {

constexpr std::array kPlugins = {"libgstcoreelements.so",
                                 "libgstaudioconvert.so",
                                 "libgstaudioresample.so",
                                 "libgstmatroska.so",
                                 "libgstisomp4.so",
                                 "libgstwavparse.so",
                                 "libgstaudioparsers.so",
                                 "libgstflac.so",
                                 "libgstmpg123.so",
                                 "libgstmulaw.so",
                                 "libgstalaw.so",
                                 "libgstlibav.so"};

Error unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}

}  // namespace

Status load_stream_plugins() {
  setenv("GST_REGISTRY_DISABLE", "yes", 1);
  setenv("GST_PLUGIN_SYSTEM_PATH_1_0", "", 1);
  setenv("GST_PLUGIN_PATH_1_0", "", 1);
  setenv("ORC_CODE", "backup", 1);  // Its compiler writes code into files and executable memory.
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == FALSE)
    return unavailable("GStreamer does not start: " + take_message(error));
  for (const char* const name : kPlugins) {
    const std::string path = std::string(QYLON_GST_PLUGINS_DIR) + "/" + name;
    GstPlugin* const plugin = gst_plugin_load_file(path.c_str(), &error);
    if (plugin == nullptr) {
      const bool optional = std::string_view(name) == "libgstlibav.so";
      const std::string message = take_message(std::exchange(error, nullptr));
      if (!optional) return unavailable("the GStreamer plugin " + path + " is missing: " + message);
      continue;
    }
    gst_object_unref(plugin);
  }
  return ok();
}

}  // namespace qylon::media
