#include "media/elements/buffer_meta.hpp"

namespace qylon::media {
namespace {

BufferMeta& as_buffer_meta(GstMeta* meta) noexcept {
  return *reinterpret_cast<BufferMeta*>(meta);
}

gboolean init_meta(GstMeta* meta, gpointer /*params*/, GstBuffer* /*buffer*/) noexcept {
  BufferMeta& made = as_buffer_meta(meta);
  made.data = nullptr;
  made.size = 0;
  made.memory = nullptr;
  made.lost_samples = 0;
  made.facts = {};
  made.has_facts = false;
  return TRUE;
}

/// A whole copy keeps the facts; a part of a buffer has other blocks and gets none.
gboolean copy_meta(GstBuffer* copy,
                   GstMeta* meta,
                   GstBuffer* /*buffer*/,
                   GQuark type,
                   gpointer data) noexcept {
  static const GQuark kCopy = g_quark_from_static_string("gst-copy");
  if (type != kCopy || static_cast<const GstMetaTransformCopy*>(data)->region == TRUE) return FALSE;
  BufferMeta& added = add_buffer_meta(copy);
  added.lost_samples = as_buffer_meta(meta).lost_samples;
  added.facts = as_buffer_meta(meta).facts;
  added.has_facts = as_buffer_meta(meta).has_facts;
  return TRUE;
}

GType meta_api() noexcept {
  static const GType kApi = [] {
    const gchar* tags[] = {"audio", "memory", nullptr};
    return gst_meta_api_type_register("QylonBufferMetaAPI", tags);
  }();
  return kApi;
}

const GstMetaInfo* meta_info() noexcept {
  static const GstMetaInfo* const kInfo = gst_meta_register(
      meta_api(), "QylonBufferMeta", sizeof(BufferMeta), init_meta, nullptr, copy_meta);
  return kInfo;
}

}  // namespace

BufferMeta& add_buffer_meta(GstBuffer* buffer) noexcept {
  return as_buffer_meta(gst_buffer_add_meta(buffer, meta_info(), nullptr));
}

BufferMeta* find_buffer_meta(GstBuffer* buffer) noexcept {
  return reinterpret_cast<BufferMeta*>(gst_buffer_get_meta(buffer, meta_api()));
}

}  // namespace qylon::media
