#include "api/core/filter.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

const Entity& sample() {
  static const Entity kEntity =
      Entity("samples").organisation().text("name").required().integer("size").texts("tags");
  return kEntity;
}

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ListQuery, BeginsWithTheNewestFifty) {
  const auto query = parse_list_query(sample(), {});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->order, "created_at");
  EXPECT_TRUE(query->descending);
  EXPECT_EQ(query->limit, 50);
}

TEST(ListQuery, ReadsItsOwnCursorsAndNoOthers) {
  const char* const id = "aaaaaaaa-0000-4000-8000-000000000001";
  const auto first = parse_list_query(sample(), {{"order", "name.asc"}});
  ASSERT_TRUE(first);
  const std::string cursor = first->cursor("a|b", id);
  const auto next = parse_list_query(sample(), {{"cursor", cursor}, {"order", "name.asc"}});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->after, std::pair(std::string("a|b"), std::string(id)));
  EXPECT_FALSE(parse_list_query(sample(), {{"cursor", cursor}, {"order", "name.desc"}}));
  EXPECT_FALSE(parse_list_query(sample(), {{"cursor", cursor}}));
}

TEST(ListQuery, ListsBecomeArrays) {
  const auto query = parse_list_query(sample(), {{"name", R"(in.(a,"b,c",d"e))"}});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->conditions[0].value, R"({"a","b,c","d\"e"})");
  EXPECT_TRUE(parse_list_query(sample(), {{"name", "in.\"open"}}));
}

TEST(ListQuery, HoldsTwentyConditions) {
  Query query(20, {"name", "eq.x"});
  EXPECT_TRUE(parse_list_query(sample(), query));
  query.emplace_back("name", "eq.x");
  EXPECT_FALSE(parse_list_query(sample(), query));
}

TEST(ListQuery, TakesOnlyOperatorsOfTheType) {
  EXPECT_TRUE(parse_list_query(sample(), {{"tags", "cs.{x}"}}));
  EXPECT_FALSE(parse_list_query(sample(), {{"tags", "gt.x"}}));
  EXPECT_FALSE(parse_list_query(sample(), {{"name", "cs.x"}}));
  EXPECT_FALSE(parse_list_query(sample(), {{"size", "is.true"}}));
  EXPECT_FALSE(parse_list_query(sample(), {{"name", "eq"}}));
}

}  // namespace
}  // namespace qylon::api
