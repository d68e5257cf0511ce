#include "api/identity/identity_key.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include <gtest/gtest.h>

#include "api/identity/text_codes.hpp"
#include "core/private_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::api {
namespace {

std::string bytes_of(const SealKey& key) {
  return {reinterpret_cast<const char*>(key.bytes().data()), SealKey::kBytes};
}

class IdentityKey : public testing::Test {
 protected:
  Result<SealKey> load() const { return load_or_create_identity_key(directory_.path(), masters_); }
  std::string text() const {
    std::ifstream file(path_);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  const test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/identity-key";
  const SealKey old_ = SealKey::random();
  const MasterKeys masters_{{old_}};
};

TEST_F(IdentityKey, IsMadeOnceAndLiesThereSealed) {
  const auto first = load();
  ASSERT_TRUE(first) << first.error().message;
  const auto second = load();
  ASSERT_TRUE(second);
  EXPECT_EQ(bytes_of(*first), bytes_of(*second));
  EXPECT_EQ(text().find(hex(bytes_of(*first))), std::string::npos);
  EXPECT_TRUE(text().starts_with(masters_.active_id() + " "));
}

TEST_F(IdentityKey, OfAnEarlierReleaseIsKeptAndSealed) {
  const std::string key(SealKey::kBytes, 'k');
  ASSERT_TRUE(create_private_file(path_, "qyi_" + base64url(key) + "\n"));
  const auto found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(bytes_of(*found), key);
  EXPECT_EQ(text().find("qyi_"), std::string::npos);
  EXPECT_EQ(bytes_of(*load()), key);
}

TEST_F(IdentityKey, IsSealedAnewByANewMasterKeyAndOpenedByNoOther) {
  const auto before = load();
  ASSERT_TRUE(before);
  const SealKey fresh = SealKey::random();
  const auto after = load_or_create_identity_key(directory_.path(), MasterKeys({fresh, old_}));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(bytes_of(*after), bytes_of(*before));
  EXPECT_TRUE(load_or_create_identity_key(directory_.path(), MasterKeys({fresh})));
  const auto refused = load();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(IdentityKey, IsNotReplacedWhenTheFileIsDamaged) {
  ASSERT_TRUE(create_private_file(path_, "qyi_short\n"));
  EXPECT_FALSE(load());
  EXPECT_EQ(text(), "qyi_short\n");
}

}  // namespace
}  // namespace qylon::api
