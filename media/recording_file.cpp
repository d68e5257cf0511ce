#include "media/recording_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <ogg/ogg.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/ids.hpp"

namespace qylon::media {
namespace {

constexpr std::size_t kChunkBytes = 65'536;
// The largest Ogg page has 27 + 255 + 255 * 255 bytes: four of them hold a whole one for certain,
// even one that ends no packet and so tells no position.
constexpr std::int64_t kTailBytes = 4 * 65'307;
// Both header pages together are shorter than this: a smaller file was cut while it was made.
constexpr std::int64_t kHeadBytesMax = 256;
constexpr std::size_t kFlagsOffset = 5;
constexpr unsigned kFlagEndOfStream = 0x04;

std::vector<std::uint8_t> opus_head(const RecordingFile::Head& head) {
  std::vector<std::uint8_t> bytes = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1};
  const auto put = [&bytes](int value, int count) {
    for (int index = 0; index < count; ++index)
      bytes.push_back(static_cast<std::uint8_t>(value >> 8 * index & 0xFF));
  };
  put(head.channels, 1);
  put(head.pre_skip_48k, 2);
  put(head.input_rate_hz, 4);
  put(0, 3);  // Output gain, channel mapping family.
  return bytes;
}

std::vector<std::uint8_t> opus_tags() {
  constexpr std::string_view kVendor = "qylon";
  std::vector<std::uint8_t> bytes = {'O', 'p', 'u', 's', 'T', 'a', 'g', 's', kVendor.size(), 0, 0};
  bytes.push_back(0);
  bytes.insert(bytes.end(), kVendor.begin(), kVendor.end());
  bytes.insert(bytes.end(), 4, 0);  // No comments.
  return bytes;
}

/// Finds pages in the file from an offset on, skipping what is none.
class PageReader {
 public:
  PageReader(int descriptor, std::int64_t offset) : descriptor_(descriptor), offset_(offset) {
    ogg_sync_init(&sync_);
  }
  ~PageReader() { ogg_sync_clear(&sync_); }
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;
  PageReader(PageReader&&) = delete;
  PageReader& operator=(PageReader&&) = delete;

  /// False at the end of the file. `page` is valid until the next call.
  bool next(ogg_page& page) {
    for (;;) {
      const long found = ogg_sync_pageseek(&sync_, &page);
      if (found > 0) {
        page_offset_ = offset_;
        offset_ += found;
        return true;
      }
      offset_ -= found;
      if (found == 0 && !read_more() && !skip_torn_page()) return false;
    }
  }
  std::int64_t page_offset() const noexcept { return page_offset_; }

 private:
  bool read_more() {
    char* const room = ogg_sync_buffer(&sync_, kChunkBytes);
    const auto at = offset_ + (sync_.fill - sync_.returned);
    const ssize_t got = pread(descriptor_, room, kChunkBytes, at);
    if (got <= 0) return false;
    ogg_sync_wrote(&sync_, got);
    return true;
  }

  /// What looks like the begin of a page that the file ends in may be damage with pages after it.
  bool skip_torn_page() {
    if (sync_.fill == sync_.returned) return false;
    ogg_sync_reset(&sync_);
    ++offset_;
    return true;
  }

  const int descriptor_;
  std::int64_t offset_;  // Of the first byte that no page and no skip has taken.
  std::int64_t page_offset_ = 0;
  ogg_sync_state sync_{};
};

bool body_begins_with(const ogg_page& page, std::string_view magic) {
  return page.body_len >= static_cast<long>(magic.size()) &&
         std::memcmp(page.body, magic.data(), magic.size()) == 0;
}

/// The serial number of a file that begins with both Opus headers.
bool read_heads(int descriptor, int& serial) {
  PageReader pages(descriptor, 0);
  ogg_page page{};
  if (!pages.next(page) || pages.page_offset() != 0 || ogg_page_bos(&page) == 0) return false;
  if (!body_begins_with(page, "OpusHead")) return false;
  serial = ogg_page_serialno(&page);
  return pages.next(page) && body_begins_with(page, "OpusTags");
}

struct Tail {
  std::int64_t page_offset = 0;
  std::int64_t page_size = 0;  // 0: no page found.
  std::int64_t granule = 0;    // Of the last page that ends a packet.
  long page_number = 0;
};

Tail read_tail(int descriptor, int serial, std::int64_t offset) {
  PageReader pages(descriptor, offset);
  ogg_page page{};
  Tail tail;
  while (pages.next(page)) {
    if (ogg_page_serialno(&page) != serial) continue;
    tail.page_offset = pages.page_offset();
    tail.page_size = page.header_len + page.body_len;
    tail.page_number = ogg_page_pageno(&page);
    if (ogg_page_granulepos(&page) >= 0) tail.granule = ogg_page_granulepos(&page);
  }
  return tail;
}

Tail find_tail(int descriptor, int serial) {
  const std::int64_t size = lseek(descriptor, 0, SEEK_END);
  const Tail tail = read_tail(descriptor, serial, size > kTailBytes ? size - kTailBytes : 0);
  return tail.page_size > 0 ? tail : read_tail(descriptor, serial, 0);
}

}  // namespace

struct RecordingFile::Stream {
  explicit Stream(int serial) { ogg_stream_init(&state, serial); }
  ~Stream() { ogg_stream_clear(&state); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;

  void put(std::span<const std::uint8_t> bytes, std::int64_t granule) {
    ogg_packet packet{};
    packet.packet = const_cast<unsigned char*>(bytes.data());  // libogg copies it.
    packet.bytes = static_cast<long>(bytes.size());
    packet.granulepos = granule;
    ogg_stream_packetin(&state, &packet);
  }

  ogg_stream_state state{};
};

Result<std::unique_ptr<RecordingFile>> RecordingFile::open(const std::string& path,
                                                           const Head& head) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  std::unique_ptr<RecordingFile> file(new RecordingFile(path, descriptor));
  if (descriptor < 0) return file->failed("open");
  const std::int64_t size = lseek(descriptor, 0, SEEK_END);
  int serial = 0;
  if (size > 0 && read_heads(descriptor, serial)) {
    file->stream_ = std::make_unique<Stream>(serial);
    if (const Status recovered = file->recover(); !recovered) return recovered.error();
    return file;
  }
  if (size > kHeadBytesMax) {
    if (std::rename(path.c_str(), (path + ".damaged").c_str()) != 0)
      return file->failed("set aside");
    return open(path, head);
  }
  if (const Status created = file->create(head); !created) return created.error();
  return file;
}

std::int64_t RecordingFile::end_48k(const std::string& path) {
  const RecordingFile file(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int serial = 0;
  if (file.descriptor_ < 0 || !read_heads(file.descriptor_, serial)) return 0;
  return find_tail(file.descriptor_, serial).granule;
}

RecordingFile::RecordingFile(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

RecordingFile::~RecordingFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status RecordingFile::append(std::span<const std::uint8_t> packet, std::int64_t samples_48k) {
  end_48k_ += samples_48k;
  stream_->put(packet, end_48k_);
  return write_pages(false);
}

Status RecordingFile::flush() {
  return write_pages(true);
}

Status RecordingFile::finish() {
  if (const Status flushed = flush(); !flushed) return flushed;
  if (const Status marked = mark_end(true); !marked) return marked;
  return fdatasync(descriptor_) == 0 ? ok() : Status(failed("sync"));
}

Status RecordingFile::create(const Head& head) {
  if (ftruncate(descriptor_, 0) != 0) return failed("empty");
  const auto random = Uuid::random();
  int serial = 0;
  std::memcpy(&serial, random.bytes.data(), sizeof serial);
  stream_ = std::make_unique<Stream>(serial);
  // RFC 7845 section 3: each header alone on its page, granule position 0.
  stream_->put(opus_head(head), 0);
  if (const Status written = write_pages(true); !written) return written;
  stream_->put(opus_tags(), 0);
  return write_pages(true);
}

/// Cuts off what follows the last whole page and continues the numbering after it.
Status RecordingFile::recover() {
  const Tail tail = find_tail(descriptor_, static_cast<int>(stream_->state.serialno));
  last_page_ = {tail.page_offset, tail.page_size};
  if (ftruncate(descriptor_, tail.page_offset + tail.page_size) != 0) return failed("cut");
  stream_->state.pageno = tail.page_number + 1;
  stream_->state.b_o_s = 1;  // "The begin is written": the next page is none.
  end_48k_ = written_48k_ = tail.granule;
  return mark_end(false);
}

Status RecordingFile::write_pages(bool flush) {
  ogg_page page{};
  while ((flush ? ogg_stream_flush(&stream_->state, &page)
                : ogg_stream_pageout(&stream_->state, &page)) != 0) {
    const Status written = write_bytes({page.header, static_cast<std::size_t>(page.header_len)},
                                       {page.body, static_cast<std::size_t>(page.body_len)});
    if (!written) return written;
    if (ogg_page_granulepos(&page) >= 0) written_48k_ = ogg_page_granulepos(&page);
  }
  return ok();
}

/// One page in one write, so that a reader hardly ever sees half of one.
Status RecordingFile::write_bytes(std::span<const std::uint8_t> header,
                                  std::span<const std::uint8_t> body) {
  const std::int64_t offset = last_page_.offset + last_page_.size;
  const std::array<iovec, 2> parts = {{
      {const_cast<std::uint8_t*>(header.data()), header.size()},
      {const_cast<std::uint8_t*>(body.data()), body.size()},
  }};
  const auto size = static_cast<ssize_t>(header.size() + body.size());
  const ssize_t written = pwritev(descriptor_, parts.data(), parts.size(), offset);
  if (written != size) {
    if (written >= 0) errno = ENOSPC;  // A regular file takes less only when the disk is full.
    const Error error = failed("write");
    if (ftruncate(descriptor_, offset) != 0) return failed("cut");
    return error;
  }
  last_page_ = {offset, size};
  return ok();
}

/// Sets or takes back the end-of-stream flag of the last page, in place.
Status RecordingFile::mark_end(bool ends) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(last_page_.size));
  if (pread(descriptor_, bytes.data(), bytes.size(), last_page_.offset) != last_page_.size)
    return failed("read");
  const bool marked = (bytes[kFlagsOffset] & kFlagEndOfStream) != 0;
  if (marked == ends) return ok();
  bytes[kFlagsOffset] = static_cast<std::uint8_t>(bytes[kFlagsOffset] ^ kFlagEndOfStream);
  constexpr std::size_t kSegmentCountOffset = 26;
  const long header_size = 27L + bytes[kSegmentCountOffset];
  ogg_page page{bytes.data(),
                header_size,
                bytes.data() + header_size,
                static_cast<long>(last_page_.size) - header_size};
  ogg_page_checksum_set(&page);
  if (pwrite(descriptor_, bytes.data(), static_cast<std::size_t>(header_size), last_page_.offset) !=
      header_size)
    return failed("write");
  return ok();
}

Error RecordingFile::failed(const char* verb) const {
  return {ErrorCode::kUnavailable,
          std::string("cannot ") + verb + " " + path_ + ": " + std::strerror(errno)};
}

}  // namespace qylon::media
