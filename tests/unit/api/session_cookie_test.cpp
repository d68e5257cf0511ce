#include "api/core/session_cookie.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

TEST(SessionCookie, IsFoundAmongOthers) {
  EXPECT_EQ(session_cookie("__Host-qylon=abc"), "abc");
  EXPECT_EQ(session_cookie("theme=dark; __Host-qylon=a.b=c; __Host-qylon=late"), "a.b=c");
  EXPECT_EQ(session_cookie(" ;;\t__Host-qylon=abc;"), "abc");
}

TEST(SessionCookie, IsNotAnythingElse) {
  for (const char* header : {"",
                             ";",
                             "__Host-qylon",
                             "__Host-qylon2=abc",
                             "a__Host-qylon=abc",
                             "__host-qylon=abc",
                             "a=__Host-qylon=abc",
                             "__Host-qylon=;"})
    EXPECT_EQ(session_cookie(header), "") << header;
}

TEST(SessionCookie, IsKeptFromScriptsOtherSitesAndPlainHttp) {
  EXPECT_EQ(set_session_cookie("abc", 3600),
            "__Host-qylon=abc; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict");
  EXPECT_EQ(set_session_cookie("", 3600),
            "__Host-qylon=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace qylon::api
