#include "core/config.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace qylon {
namespace {

class Config : public ::testing::Test {
 protected:
  Config() {
    list_.add({"listen", "", "Where."}, listen_);
    list_.add({"net-threads", "threads", "How many."}, threads_, {1, 64});
    list_.add({"require-token", "", "Whether."}, token_);
    list_.add({"collar", "s", "How far."}, collar_, 0.0, 10.0);
    list_.add({"engine", "", "Which."}, engine_, {"pocketsphinx", "vosk"});
  }

  std::string write_file(const std::string& text) {
    const auto path =
        std::filesystem::temp_directory_path() / ("qylon-config-" + std::to_string(::getpid()));
    std::ofstream(path) << text;
    return path.string();
  }

  std::string listen_ = "127.0.0.1:8080";
  std::int64_t threads_ = 1;
  bool token_ = false;
  double collar_ = 0.25;
  std::string engine_ = "pocketsphinx";
  SettingList list_;
};

TEST_F(Config, FlagsTakeValuesInBothForms) {
  const auto others =
      list_.read_flags({"--net-threads", "4", "--listen=[::1]:0", "file.wav", "--require-token"});
  ASSERT_TRUE(others) << others.error().message;
  EXPECT_EQ(*others, std::vector<std::string>{"file.wav"});
  EXPECT_EQ(threads_, 4);
  EXPECT_EQ(listen_, "[::1]:0");
  EXPECT_TRUE(token_);
}

TEST_F(Config, ABooleanCanBeTurnedOff) {
  token_ = true;
  ASSERT_TRUE(list_.read_flags({"--no-require-token"}));
  EXPECT_FALSE(token_);
}

TEST_F(Config, EverythingAfterTwoDashesIsNoFlag) {
  const auto others = list_.read_flags({"--", "--net-threads"});
  ASSERT_TRUE(others);
  EXPECT_EQ(*others, std::vector<std::string>{"--net-threads"});
}

TEST_F(Config, AWrongValueIsNamedWithItsRange) {
  const auto read = list_.read_flags({"--net-threads", "65"});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "--net-threads: net-threads cannot be \"65\"; it takes 1..64 threads");
  EXPECT_EQ(threads_, 1);
}

TEST_F(Config, NumbersMustBeWholeWords) {
  EXPECT_FALSE(list_.read_flags({"--net-threads", "4x"}));
  EXPECT_FALSE(list_.read_flags({"--net-threads", ""}));
  EXPECT_FALSE(list_.read_flags({"--collar", "nan"}));
  EXPECT_FALSE(list_.read_flags({"--collar", "10.5"}));
}

TEST_F(Config, AnUnknownChoiceListsTheKnownOnes) {
  const auto read = list_.read_flags({"--engine", "whisper"});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("one of pocketsphinx, vosk"), std::string::npos);
}

TEST_F(Config, AnUnknownFlagIsNamed) {
  const auto read = list_.read_flags({"--colour"});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("no setting named \"colour\""), std::string::npos);
}

TEST_F(Config, AFlagWithoutItsValueIsNamed) {
  const auto read = list_.read_flags({"--listen"});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "--listen needs a value");
}

TEST_F(Config, FilesHaveCommentsAndTheErrorNamesTheLine) {
  const std::string path = write_file("# comment\n\nnet-threads = 3\n  collar=1.5 \nengine vosk\n");
  const Status read = list_.read_file(path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, path + ":5: expected `name = value`");
  EXPECT_EQ(threads_, 3);
  EXPECT_DOUBLE_EQ(collar_, 1.5);
  std::remove(path.c_str());
}

TEST_F(Config, TheEnvironmentUsesUpperSnakeCase) {
  const Status read = list_.read_environment([](const char* name) -> const char* {
    return std::string_view(name) == "QYLON_NET_THREADS" ? "7" : nullptr;
  });
  ASSERT_TRUE(read);
  EXPECT_EQ(threads_, 7);
}

TEST_F(Config, HelpShowsDefaultUnitAndRangeOfEverySetting) {
  const std::string help = list_.help();
  EXPECT_NE(help.find("--net-threads VALUE\n      How many.\n      (1..64 threads; default 1)"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("--require-token\n"), std::string::npos);
}

}  // namespace
}  // namespace qylon
