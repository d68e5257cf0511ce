#pragma once
/// One reference to a GStreamer object, and the text of its errors.

#include <memory>
#include <string>

#include <gst/gst.h>

namespace qylon::media {

struct UnrefGst {
  void operator()(GstPad* pad) const noexcept { gst_object_unref(pad); }
  void operator()(GstElement* element) const noexcept { gst_object_unref(element); }
  void operator()(GstCaps* caps) const noexcept { gst_caps_unref(caps); }
  void operator()(GstEvent* event) const noexcept { gst_event_unref(event); }
};
using PadPtr = std::unique_ptr<GstPad, UnrefGst>;
using ElementPtr = std::unique_ptr<GstElement, UnrefGst>;
using CapsPtr = std::unique_ptr<GstCaps, UnrefGst>;
using EventPtr = std::unique_ptr<GstEvent, UnrefGst>;

/// What `error` says, which is freed; null says "unknown reason".
inline std::string take_message(GError* error) {
  std::string message = error != nullptr ? error->message : "unknown reason";
  g_clear_error(&error);
  return message;
}

}  // namespace qylon::media
