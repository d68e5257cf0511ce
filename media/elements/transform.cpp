#include "media/elements/transform.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace qylon::media {
namespace {

struct Shell {
  GstElement element;
  GstPad* sink;
  GstPad* source;
  Transform* transform;  // Owned; GObject knows no destructors.
};

struct ShellClass {
  GstElementClass element_class;
  const ElementInfo* info;
};

Shell& shell_of(gpointer object) noexcept {
  return *static_cast<Shell*>(object);
}

GstFlowReturn chain(GstPad* /*pad*/, GstObject* parent, GstBuffer* buffer) noexcept {
  return shell_of(parent).transform->process(BufferPtr(buffer));
}

gboolean take_caps(Shell& shell, GstEvent* event) noexcept {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const bool taken = shell.transform->set_caps(*gst_caps_get_structure(caps, 0));
  gst_event_unref(event);
  if (!taken) return FALSE;
  GstCaps* const output = gst_caps_from_string(kElementCaps);
  const gboolean pushed = gst_pad_push_event(shell.source, gst_event_new_caps(output));
  gst_caps_unref(output);
  return pushed;
}

gboolean take_gap(Shell& shell, GstEvent* event) noexcept {
  GstClockTime start = GST_CLOCK_TIME_NONE;
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  GstGapFlags flags{};
  gst_event_parse_gap(event, &start, &duration);
  gst_event_parse_gap_flags(event, &flags);
  gst_event_unref(event);
  if (!GST_CLOCK_TIME_IS_VALID(duration)) return TRUE;
  const auto samples = static_cast<std::int64_t>(duration) / kNsPerSample;
  const bool lost = (flags & GST_GAP_FLAG_MISSING_DATA) != 0;
  return shell.transform->gap(samples, lost) >= GST_FLOW_OK ? TRUE : FALSE;
}

gboolean take_event(GstPad* pad, GstObject* parent, GstEvent* event) noexcept {
  Shell& shell = shell_of(parent);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      return take_caps(shell, event);
    case GST_EVENT_GAP:
      return take_gap(shell, event);
    case GST_EVENT_EOS:
      shell.transform->drain();
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_event_has_name(event, kDrainEvent) == TRUE) shell.transform->drain();
      break;
    case GST_EVENT_FLUSH_STOP:
      shell.transform->reset();
      break;
    default:
      break;
  }
  return gst_pad_event_default(pad, parent, event);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) noexcept {
  auto* const parent = static_cast<GstElementClass*>(g_type_class_peek(GST_TYPE_ELEMENT));
  const GstStateChangeReturn changed = parent->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) shell_of(element).transform->reset();
  return changed;
}

void finalize(GObject* object) noexcept {
  delete std::exchange(shell_of(object).transform, nullptr);  // NOLINT: see Shell.
  static_cast<GObjectClass*>(g_type_class_peek(GST_TYPE_ELEMENT))->finalize(object);
}

void add_pad_template(GstElementClass* element, GstPadDirection direction, const char* caps_text) {
  GstCaps* const caps = gst_caps_from_string(caps_text);
  gst_element_class_add_pad_template(
      element,
      gst_pad_template_new(
          direction == GST_PAD_SINK ? "sink" : "src", direction, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
}

void init_class(gpointer klass, gpointer data) noexcept {
  auto* const shell = static_cast<ShellClass*>(klass);
  auto* const element = static_cast<GstElementClass*>(klass);
  const auto& info = *static_cast<const ElementInfo*>(data);
  shell->info = &info;
  static_cast<GObjectClass*>(klass)->finalize = finalize;
  element->change_state = change_state;
  add_pad_template(element, GST_PAD_SINK, info.sink_caps);
  add_pad_template(element, GST_PAD_SRC, kElementCaps);
  gst_element_class_set_static_metadata(
      element, info.long_name, info.klass, info.description, "The Qylon authors");
}

GstPad* add_pad(GstElement* element, gpointer klass, const char* name) {
  GstPadTemplate* const pad_template =
      gst_element_class_get_pad_template(static_cast<GstElementClass*>(klass), name);
  GstPad* const pad = gst_pad_new_from_template(pad_template, name);
  gst_element_add_pad(element, pad);
  return pad;
}

void init_instance(GTypeInstance* instance, gpointer klass) noexcept {
  Shell& shell = shell_of(instance);
  shell.sink = add_pad(&shell.element, klass, "sink");
  shell.source = add_pad(&shell.element, klass, "src");
  gst_pad_set_chain_function(shell.sink, chain);
  gst_pad_set_event_function(shell.sink, take_event);
  gst_pad_use_fixed_caps(shell.source);
  shell.transform = static_cast<ShellClass*>(klass)->info->create(shell.source).release();
}

}  // namespace

void ReusableBuffer::regain() {
  exclusive_ = true;
  // A copy of the buffer, which somebody keeps, refers to its memory.
  if (GST_MINI_OBJECT_REFCOUNT_VALUE(buffer_.get()) != 1 ||
      GST_MINI_OBJECT_REFCOUNT_VALUE(meta_->memory) != 1) {
    renew();
  }
}

void ReusableBuffer::renew() {
  auto* const data = static_cast<std::uint8_t*>(g_malloc(capacity_));
  buffer_.reset(gst_buffer_new_wrapped_full(
      static_cast<GstMemoryFlags>(0), data, capacity_, 0, capacity_, data, g_free));
  meta_ = &add_buffer_meta(buffer_.get());
  meta_->data = data;
  meta_->size = capacity_;
  meta_->memory = gst_buffer_peek_memory(buffer_.get(), 0);
}

GstFlowReturn ReusableBuffer::push(GstPad* pad, std::size_t size_bytes) {
  GstBuffer* const pushed = buffer();
  if (size_bytes != meta_->size) gst_buffer_set_size(pushed, static_cast<gssize>(size_bytes));
  meta_->size = size_bytes;
  exclusive_ = false;
  GstBuffer* const reference = gst_buffer_ref(pushed);
  return GST_PAD_IS_SRC(pad) ? gst_pad_push(pad, reference) : gst_pad_chain(pad, reference);
}

GstFlowReturn SampleOutput::push(std::size_t samples, bool invented) {
  if (invented) {
    GST_BUFFER_FLAG_SET(buffer_.buffer(), GST_BUFFER_FLAG_GAP);
  } else {
    GST_BUFFER_FLAG_UNSET(buffer_.buffer(), GST_BUFFER_FLAG_GAP);
  }
  meta().has_facts = false;
  return send(samples);
}

GstFlowReturn SampleOutput::push_with_facts(std::size_t samples) {
  GST_BUFFER_FLAG_UNSET(buffer_.buffer(), GST_BUFFER_FLAG_GAP);
  meta().has_facts = true;
  return send(samples);
}

GstFlowReturn SampleOutput::pass(BufferPtr buffer, std::size_t samples) {
  position_ += static_cast<std::int64_t>(samples);
  return gst_pad_push(pad_, buffer.release());
}

GstFlowReturn SampleOutput::send(std::size_t samples) {
  GstBuffer* const buffer = buffer_.buffer();
  if (GST_CLOCK_TIME_IS_VALID(start_)) {
    GST_BUFFER_PTS(buffer) = start_ + static_cast<GstClockTime>(position_ * kNsPerSample);
  }
  GST_BUFFER_DURATION(buffer) = samples * static_cast<GstClockTime>(kNsPerSample);
  position_ += static_cast<std::int64_t>(samples);
  return buffer_.push(pad_, samples * sizeof(float));
}

GstFlowReturn SampleOutput::push_zeros(std::int64_t samples) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (samples > 0 && flow >= GST_FLOW_OK) {
    auto zeros = room();
    zeros = zeros.first(std::min(zeros.size(), static_cast<std::size_t>(samples)));
    std::ranges::fill(zeros, 0.0F);
    flow = push(zeros.size(), true);
    samples -= static_cast<std::int64_t>(zeros.size());
  }
  return flow;
}

void SampleOutput::start_at(GstClockTime pts) noexcept {
  if (GST_CLOCK_TIME_IS_VALID(start_) || !GST_CLOCK_TIME_IS_VALID(pts)) return;
  start_ = pts - std::min(pts, static_cast<GstClockTime>(position_ * kNsPerSample));
}

void SampleOutput::reset() noexcept {
  start_ = GST_CLOCK_TIME_NONE;
  position_ = 0;
}

bool register_element(GstPlugin* plugin, const ElementInfo& info) {
  GTypeInfo type{};
  type.class_size = sizeof(ShellClass);
  type.class_init = init_class;
  type.class_data = &info;
  type.instance_size = sizeof(Shell);
  type.instance_init = init_instance;
  GType id = g_type_from_name(info.type_name);
  if (id == 0) {
    id =
        g_type_register_static(GST_TYPE_ELEMENT, info.type_name, &type, static_cast<GTypeFlags>(0));
  }
  return gst_element_register(plugin, info.name, GST_RANK_NONE, id) == TRUE;
}

bool register_elements(GstPlugin* plugin) {
  for (const ElementInfo* info :
       {&kOpusDecoderElement, &kResamplerElement, &kFrontEndElement, &kVoiceActivityElement}) {
    if (!register_element(plugin, *info)) return false;
  }
  return true;
}

}  // namespace qylon::media
