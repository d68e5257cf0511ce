#include "api/core/validate.hpp"

#include <gtest/gtest.h>

#include "api/core/entity.hpp"

namespace qylon::api {
namespace {

const Entity& sample() {
  static const Entity kEntity = Entity("samples")
                                    .text("name")
                                    .required()
                                    .max(3)
                                    .text("colour")
                                    .one_of({"red", "blue"})
                                    .required()
                                    .by_default("'red'")
                                    .email("mail")
                                    .uuid("other")
                                    .integer("small")
                                    .big_integer("big")
                                    .number("ratio")
                                    .flag("on")
                                    .time("at")
                                    .document("notes")
                                    .texts("tags")
                                    .max(2)
                                    .bytes("photo")
                                    .text("seal")
                                    .read_only();
  return kEntity;
}

/// "pointer detail" of what is wrong with one member beside a good name; empty: nothing.
std::string problem_with(const std::string& member) {
  const CheckedBody body =
      validate(sample().fields(), R"({"name":"x",)" + member + "}", Completeness::kWhole);
  return body.problems.empty() ? "" : body.problems[0].pointer + " " + body.problems[0].detail;
}

TEST(Validate, TakesValuesOfEveryType) {
  for (const char* member : {R"("name":"\u00e9\u00e9\u00e9")",
                             R"("colour":"blue")",
                             R"("mail":"a@b")",
                             R"("mail":null)",
                             R"("other":"AAAAAAAA-0000-4000-8000-00000000000f")",
                             R"("small":-2147483648)",
                             R"("big":9223372036854775807)",
                             R"("ratio":1e-3)",
                             R"("on":false)",
                             R"("at":"2024-02-29T23:59:60.123456+05:30")",
                             R"("notes":[{"a":null}])",
                             R"("tags":["",""])",
                             R"("photo":"aA==")"})
    EXPECT_EQ(problem_with(member), "") << member;
}

TEST(Validate, NamesWhatIsWrongWithAValue) {
  EXPECT_EQ(problem_with(R"("name":"four")"), "/name must have at most 3 characters");
  EXPECT_EQ(problem_with(R"("name":null)"), "/name must not be null");
  EXPECT_EQ(problem_with(R"("name":"\u0000")"), "/name must not hold U+0000");
  EXPECT_EQ(problem_with(R"("colour":"green")"), R"(/colour must be one of "red", "blue")");
  EXPECT_EQ(problem_with(R"("mail":"a b@c")"), "/mail must be an e-mail address");
  EXPECT_EQ(problem_with(R"("other":"1")"), "/other must be a UUID");
  EXPECT_EQ(problem_with(R"("small":2147483648)"), "/small must be an integer of 32 bits");
  EXPECT_EQ(problem_with(R"("big":9223372036854775808)"), "/big must be an integer of 64 bits");
  EXPECT_EQ(problem_with(R"("ratio":"1")"), "/ratio must be a number");
  EXPECT_EQ(problem_with(R"("on":1)"), "/on must be true or false");
  EXPECT_EQ(problem_with(R"("notes":"{}")"), "/notes must be an object or an array");
  EXPECT_EQ(problem_with(R"("notes":{"a":["\u0000"]})"), "/notes must not hold U+0000");
  EXPECT_EQ(problem_with(R"("tags":["a","b","c"])"), "/tags must have at most 2 items");
  EXPECT_EQ(problem_with(R"("photo":"aA=")"), "/photo must be base64");
  EXPECT_EQ(problem_with(R"("seal":"x")"), "/seal is set by the server");
}

TEST(Validate, EscapesMembersInPointers) {  // RFC 6901 section 3.
  EXPECT_TRUE(problem_with(R"("a/b~c":1)").starts_with("/a~1b~0c is not known"));
}

TEST(Validate, AsksForRequiredMembersOnlyOfAWholeBody) {
  const CheckedBody whole = validate(sample().fields(), "{}", Completeness::kWhole);
  ASSERT_EQ(whole.problems.size(), 1U);
  EXPECT_EQ(whole.problems[0].pointer, "/name");
  EXPECT_TRUE(validate(sample().fields(), "{}", Completeness::kPart).problems.empty());
}

TEST(Validate, TakesNothingButAnObject) {
  const std::string deep(40, '[');
  for (const std::string& body : {std::string(), std::string("[]"), std::string("{"), deep})
    EXPECT_EQ(validate(sample().fields(), body, Completeness::kPart).problems.size(), 1U) << body;
}

TEST(Validate, PrintsWhatItLookedAt) {
  const CheckedBody body =
      validate(sample().fields(), R"({"name":"long","name":"ok"})", Completeness::kWhole);
  EXPECT_EQ(body.json, R"({"name":"ok"})");
  EXPECT_EQ(body.keys, std::vector<std::string>{"name"});
}

TEST(Date, IsADayThatExists) {
  EXPECT_TRUE(is_date("2028-02-29"));
  for (const char* bad : {"2026-02-29", "2026-1-01", "2026-01-01T", "0000-01-01", ""})
    EXPECT_FALSE(is_date(bad)) << bad;
}

TEST(DateTime, IsThatOfRfc3339) {
  for (const char* good : {"2026-11-21T18:41:10Z", "1999-12-31t00:00:00.5-23:59"})
    EXPECT_TRUE(is_date_time(good)) << good;
  for (const char* bad : {"2026-11-21",
                          "2026-11-21 18:41:10Z",
                          "2026-02-29T00:00:00Z",
                          "2026-11-21T24:00:00Z",
                          "2026-11-21T18:41:10",
                          "2026-11-21T18:41:10.Z",
                          "2026-11-21T18:41:10+24:00",
                          "0000-01-01T00:00:00Z"})
    EXPECT_FALSE(is_date_time(bad)) << bad;
}

}  // namespace
}  // namespace qylon::api
