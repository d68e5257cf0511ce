#include "models/safetensors.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "tests/fuzz/models_safetensors_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::models {
namespace {

std::string file_of(std::string_view header, std::string_view data) {
  std::string file(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(file.data(), &size, 8);
  return file.append(header).append(data);
}

Result<WeightFile> parse(const std::string& file) {
  return WeightFile::parse(std::as_bytes(std::span<const char>(file)));
}

TEST(WeightFile, ReadsBothFloatTypesAndMetadata) {
  // binary16: 0x3C00 = 1, 0xC000 = -2, 0x0001 = 2^-24, 0x7BFF = 65504 (IEEE 754-2008, 3.6).
  const Result<WeightFile> file = parse(
      file_of(R"({"__metadata__":{"threshold":"0.25","name":"x"},)"
              R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
              R"("b":{"dtype":"F16","shape":[4],"data_offsets":[8,16]}})",
              std::string_view("\0\0\x80\x3F\0\0\0\xC0\x00\x3C\x00\xC0\x01\x00\xFF\x7B", 16)));
  ASSERT_TRUE(file) << file.error().message;
  const auto a = file->tensor("a", std::array<std::int64_t, 2>{1, 2});
  ASSERT_TRUE(a);
  EXPECT_EQ((*a)[0], 1.0F);
  EXPECT_EQ((*a)[1], -2.0F);
  const auto b = file->tensor("b", std::array<std::int64_t, 1>{4});
  ASSERT_TRUE(b);
  EXPECT_EQ((*b)[0], 1.0F);
  EXPECT_EQ((*b)[1], -2.0F);
  EXPECT_EQ((*b)[2], 0x1p-24F);
  EXPECT_EQ((*b)[3], 65504.0F);
  EXPECT_EQ(*file->number("threshold"), 0.25F);
  EXPECT_FALSE(file->number("name"));
  EXPECT_FALSE(file->metadata("absent"));
}

TEST(WeightFile, NamesBothShapesWhenTheyDiffer) {
  const Result<WeightFile> file =
      parse(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "\0\0\0\0"));
  const Result<WeightFile> whole =
      parse(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    std::string_view("\0\0\0\0", 4)));
  EXPECT_FALSE(file);  // The data is shorter than the offsets say.
  ASSERT_TRUE(whole);
  const auto wrong = whole->tensor("a", std::array<std::int64_t, 2>{2, 3});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("[1], not [2, 3]"), std::string::npos);
}

TEST(WeightFile, RefusesWhatItCannotTrust) {
  const std::string_view four("\0\0\0\0", 4);
  const std::string infinite("\0\0\x80\x7F", 4);
  for (const std::string& wrong :
       {std::string("short"),
        file_of("[]", ""),
        file_of("{", ""),
        file_of(R"({"a":1})", four),
        file_of(R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four),
        file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", infinite),
        file_of(R"({"a":{"dtype":"F32","shape":[1099511627776,1099511627776],)"
                R"("data_offsets":[0,0]}})",
                "")}) {
    const Result<WeightFile> file = parse(wrong);
    ASSERT_FALSE(file) << wrong.substr(8);
    EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(WeightFile, SurvivesTheFuzzersSeeds) {
  const auto folder =
      std::filesystem::path(QYLON_TEST_DATA) / "../fuzz/corpus/models_safetensors_fuzz";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(fuzz_safetensors(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
              0);
  }
}

}  // namespace
}  // namespace qylon::models
