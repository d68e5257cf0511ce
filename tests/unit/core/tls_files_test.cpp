#include "core/tls_files.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace qylon {
namespace {

class TlsFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!make("a") || !make("b")) GTEST_SKIP() << "openssl(1) is not installed";
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  bool make(const std::string& name) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x "
        "-keyout " +
        path(name + ".key") + " -out " + path(name + ".pem") + " 2>/dev/null";
    return std::system(command.c_str()) == 0;
  }

  test::TemporaryDirectory folder_;
};

TEST_F(TlsFiles, ACertificateWithItsKeyIsUsable) {
  EXPECT_TRUE(check_tls_files(path("a.pem"), path("a.key")));
}

TEST_F(TlsFiles, AnothersKeyIsRefused) {
  const Status status = check_tls_files(path("a.pem"), path("b.key"));
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("b.key is not the key"), std::string::npos);
}

TEST_F(TlsFiles, WhatIsMissingOrNoPemIsNamed) {
  EXPECT_NE(check_tls_files(path("none.pem"), path("a.key")).error().message.find("none.pem"),
            std::string::npos);
  EXPECT_NE(check_tls_files(path("a.pem"), path("a.pem")).error().message.find("private key"),
            std::string::npos);
}

}  // namespace
}  // namespace qylon
