#include "core/private_file.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temporary_directory.hpp"

namespace qylon {
namespace {

class PrivateFile : public testing::Test {
 protected:
  Result<std::optional<std::string>> read() const { return read_private_file(path_, 8); }

  const test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/file";
};

TEST_F(PrivateFile, IsMadeForItsOwnerAndNotMadeTwice) {
  ASSERT_TRUE(create_private_file(path_, "first"));
  ASSERT_TRUE(create_private_file(path_, "second"));
  EXPECT_EQ(**read(), "first");
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(PrivateFile, IsReplacedWholeAndLeavesNoDraft) {
  ASSERT_TRUE(create_private_file(path_, "first"));
  ASSERT_TRUE(replace_private_file(path_, "second"));
  EXPECT_EQ(**read(), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(PrivateFile, IsNothingWhenThereIsNone) {
  const auto none = read();
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, std::nullopt);
}

TEST_F(PrivateFile, IsRefusedWhenOthersReadItOrItIsTooLongOrALink) {
  ASSERT_TRUE(create_private_file(path_, "123456789"));
  EXPECT_EQ(read().error().message.find("1234"), std::string::npos);
  ASSERT_TRUE(replace_private_file(path_, "secret"));
  ::chmod(path_.c_str(), 0640);
  EXPECT_EQ(read().error().message, "others can read " + path_ + "; chmod 600 it");
  ::chmod(path_.c_str(), 0600);
  std::filesystem::create_symlink(path_, path_ + "2");
  EXPECT_FALSE(read_private_file(path_ + "2", 8));
}

}  // namespace
}  // namespace qylon
