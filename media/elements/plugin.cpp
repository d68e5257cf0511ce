// Entry point of libgstqylon.so, which gives our elements to any GStreamer program:
//   GST_PLUGIN_PATH=build/release/gstreamer gst-launch-1.0 ... ! qylonresample ! qylonvad ! ...
#include <gst/gst.h>

#include "media/elements/transform.hpp"

#define PACKAGE "qylon"

namespace {

gboolean init_plugin(GstPlugin* plugin) noexcept {
  return qylon::media::register_elements(plugin) ? TRUE : FALSE;
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR,
                  GST_VERSION_MINOR,
                  qylon,
                  "Audio elements of the Qylon meeting server",
                  init_plugin,
                  QYLON_VERSION,
                  "Apache 2.0",
                  "qylon",
                  "Unknown package origin")
