#include "api/core/openapi.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace qylon::api {
namespace {

using Json = nlohmann::json;

/// The document of one domain that says nothing about documents.
Json document() {
  Domain domain{"garden"};
  domain.entities.push_back(Entity("plants")
                                .organisation()
                                .emits("plant")
                                .text("name")
                                .required()
                                .max(20)
                                .text("kind")
                                .one_of({"tree", "herb"})
                                .text("recipe")
                                .secret()
                                .time("seen_at")
                                .read_only());
  domain.entities.push_back(Entity("letters").public_insert().text("line").required());
  const RouteTable others;
  return Json::parse(openapi_document(std::vector<Domain>{domain}, others));
}

TEST(OpenApi, HasTheRoutesOfEachEntity) {
  const Json paths = document()["paths"];
  for (const char* verb : {"get", "post"})
    EXPECT_TRUE(paths["/api/plants"].contains(verb)) << verb;
  for (const char* verb : {"get", "patch", "delete"})
    EXPECT_TRUE(paths["/api/plants/{id}"].contains(verb)) << verb;
  EXPECT_EQ(paths["/api/letters"].size(), 1U);
  EXPECT_TRUE(paths["/api/letters"].contains("post"));
}

TEST(OpenApi, ShowsNoSecretAndTakesNothingReadOnly) {
  const Json schemas = document()["components"]["schemas"];
  EXPECT_FALSE(schemas["plants"]["properties"].contains("recipe"));
  EXPECT_TRUE(schemas["plants_new"]["properties"].contains("recipe"));
  EXPECT_TRUE(schemas["plants"]["properties"].contains("seen_at"));
  EXPECT_FALSE(schemas["plants_new"]["properties"].contains("seen_at"));
  EXPECT_FALSE(schemas["plants_new"]["properties"].contains("org_id"));
}

TEST(OpenApi, SaysWhatAFieldTakes) {
  const Json plant = document()["components"]["schemas"]["plants_new"];
  EXPECT_EQ(plant["required"], Json::parse(R"(["name"])"));
  EXPECT_EQ(plant["properties"]["name"], Json::parse(R"({"type":"string","maxLength":20})"));
  EXPECT_EQ(plant["properties"]["kind"],
            Json::parse(R"({"type":["string","null"],"enum":["tree","herb",null]})"));
}

TEST(OpenApi, HasAWebhookForEveryEvent) {
  const Json webhooks = document()["webhooks"];
  for (const char* type : {"plant.created", "plant.updated", "plant.deleted"})
    EXPECT_TRUE(webhooks.contains(type)) << type;
  EXPECT_EQ(webhooks.size(), 3U);
}

}  // namespace
}  // namespace qylon::api
