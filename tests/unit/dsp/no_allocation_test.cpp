// What the headers promise: after create() the kernels of the audio path do not allocate.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/highpass.hpp"
#include "dsp/log_mel.hpp"
#include "dsp/loudness.hpp"
#include "dsp/resampler.hpp"
#include "dsp/voice_activity.hpp"
#include "tests/support/signals.hpp"

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);  // NOLINT(cppcoreguidelines-no-malloc)
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete[](void* memory) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}  // NOLINT
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}  // NOLINT

namespace qylon::dsp {
namespace {

class NoAllocation : public ::testing::Test {
 protected:
  void SetUp() override { before_ = allocations; }
  void TearDown() override { EXPECT_EQ(allocations, before_); }
  void start() { before_ = allocations; }

  std::vector<float> signal_ = testing::white_noise(4800, 0.1);
  std::vector<float> room_ = std::vector<float>(40000);

 private:
  std::size_t before_ = 0;
};

TEST_F(NoAllocation, InTheResampler) {
  for (const int rate_hz : {8000, 44100, 48000, 48003}) {
    auto resampler = *Resampler::create({.input_rate_hz = rate_hz});
    start();
    resampler.process(signal_, room_);
    resampler.reset();
    resampler.process(std::span<const float>(signal_).first(7), room_);
  }
}

TEST_F(NoAllocation, InTheHighpass) {
  auto highpass = *Highpass::create({});
  start();
  highpass.process(signal_);
}

TEST_F(NoAllocation, InTheLoudness) {
  auto loudness = *Loudness::create();
  start();
  for (int i = 0; i < 10; ++i)
    loudness.process(signal_);
}

TEST_F(NoAllocation, InTheLogMel) {
  auto mel = *LogMel::create({});
  float sum = 0.0F;
  start();
  mel.push(signal_, [&sum](std::span<const float> frame) { sum += frame[0]; });
}

TEST_F(NoAllocation, InTheVoiceActivity) {
  auto activity = *VoiceActivity::create();
  start();
  for (std::size_t at = 0; at + 160 <= signal_.size(); at += 160) {
    activity.process(std::span<const float, 160>(&signal_[at], 160));
  }
  activity.reset();
}

TEST_F(NoAllocation, IsCountedAtAll) {
  start();
  const std::size_t before = allocations;
  std::vector<float> some(10);
  EXPECT_GT(allocations, before);
  start();
}

}  // namespace
}  // namespace qylon::dsp
