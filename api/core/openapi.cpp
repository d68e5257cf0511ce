#include "api/core/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/core/crud.hpp"
#include "api/core/filter.hpp"
#include "api/core/json_schema.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Json reference(const std::string& kind, const std::string& name) {
  return {{"$ref", "#/components/" + kind + "/" + name}};
}

Json json_content(Json schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

std::string lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// "{name...}" is OpenAPI's "{name}".
std::string path_of(std::string pattern) {
  for (std::size_t at = pattern.find("...}"); at != std::string::npos; at = pattern.find("...}"))
    pattern.erase(at, 3);
  return pattern;
}

/// "get_api_clients_id" of GET /api/clients/{id}.
std::string operation_id(const std::string& method, const std::string& path) {
  std::string id = lower(method);
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      id += c;
    } else if (id.back() != '_') {
      id += '_';
    }
  }
  while (id.back() == '_')
    id.pop_back();
  return id;
}

Json path_parameters(const std::string& path) {
  Json parameters = Json::array();
  for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open)) {
    const std::size_t close = path.find('}', open);
    parameters.push_back({{"name", path.substr(open + 1, close - open - 1)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
    open = close;
  }
  return parameters;
}

Json query_parameter(const std::string& name, const std::string& text, Json schema) {
  return {{"name", name}, {"in", "query"}, {"description", text}, {"schema", std::move(schema)}};
}

void add_problems(Json& responses, std::initializer_list<const char*> codes) {
  for (const char* code : codes)
    responses[code] = reference("responses", "problem");
  responses["default"] = reference("responses", "problem");
}

/// What every operation has: its name, who may call it.
Json operation(const Route& route, const std::string& tag, const std::string& summary) {
  const std::string path = path_of(route.pattern);
  Json json{{"operationId", operation_id(route.method, path)},
            {"summary", summary},
            {"tags", Json::array({tag})},
            {"x-permission", permission_name(route.permission)}};
  if (route.permission == Permission::kOpen) json["security"] = Json::array();
  if (route.permission == Permission::kAnyone)
    json["security"] = Json::array({{{"bearer", Json::array()}}, Json::object()});
  Json parameters = path_parameters(path);
  if (!parameters.empty()) json["parameters"] = std::move(parameters);
  return json;
}

Json row_response(const Entity& entity, const char* text) {
  return {{"description", text},
          {"headers", {{"ETag", {{"schema", {{"type", "string"}}}}}}},
          {"content", json_content(reference("schemas", entity.name()))}};
}

Json list_parameters(const Entity& entity) {
  Json orders = Json::array();
  for (const Field& field : entity.columns()) {
    if (!is_orderable(field)) continue;
    orders.push_back(field.name + ".asc");
    orders.push_back(field.name + ".desc");
  }
  Json parameters = Json::array();
  parameters.push_back(
      query_parameter("limit",
                      "Rows of a page.",
                      {{"type", "integer"}, {"minimum", 1}, {"maximum", 200}, {"default", 50}}));
  parameters.push_back(query_parameter(
      "cursor", "The `next` of the page before, in the same order.", {{"type", "string"}}));
  parameters.push_back(query_parameter(
      "order",
      "By which field.",
      {{"type", "string"}, {"enum", std::move(orders)}, {"default", "created_at.desc"}}));
  for (const Field& field : entity.columns()) {
    if (!field.secret) {
      parameters.push_back(query_parameter(
          field.name, "A condition, OPERATOR.VALUE, e.g. `is.not_null`.", {{"type", "string"}}));
    }
  }
  return parameters;
}

Json list_response(const Entity& entity) {
  const Json schema{
      {"type", "object"},
      {"required", {"items", "next"}},
      {"properties",
       {{"items", {{"type", "array"}, {"items", reference("schemas", entity.name())}}},
        {"next", {{"type", Json::array({"string", "null"})}}}}}};
  return {{"description", "A page."}, {"content", json_content(schema)}};
}

Json header_parameter(const char* name, const char* text) {
  return {
      {"name", name}, {"in", "header"}, {"description", text}, {"schema", {{"type", "string"}}}};
}

Json body_of(const std::string& schema) {
  return {{"required", true}, {"content", json_content(reference("schemas", schema))}};
}

constexpr const char* kIfMatch = "Only when the row still has this ETag.";
constexpr const char* kIfNoneMatch = "ETags that the caller has.";

void describe_write(const Entity& entity, Verb verb, Json& json, Json& responses) {
  if (verb == Verb::kCreate) {
    json["requestBody"] = body_of(entity.name() + "_new");
    json["parameters"].push_back(
        header_parameter("Idempotency-Key", "The same key twice makes one row."));
    responses["201"] = entity.scope() == Scope::kPublicInsert
                           ? Json{{"description", "Taken."}}
                           : row_response(entity, "The new row.");
    add_problems(responses, {"400", "401", "403", "409", "429", "503"});
    return;
  }
  json["parameters"].push_back(header_parameter("If-Match", kIfMatch));
  if (verb == Verb::kPatch) {
    json["requestBody"] = body_of(entity.name() + "_patch");
    responses["200"] = row_response(entity, "The row as it is now.");
  } else {
    responses["204"] = {{"description", "It is gone."}};
  }
  add_problems(responses, {"400", "401", "403", "404", "409", "412", "429", "503"});
}

Json describe(const Entity& entity, Verb verb, const std::string& tag) {
  static constexpr const char* kSummaries[] = {
      "List ", "Read one of ", "Add one to ", "Change one of ", "Delete one of "};
  const Route route = route_of(entity, verb);
  Json json = operation(route, tag, kSummaries[static_cast<int>(verb)] + entity.name());
  Json responses = Json::object();
  if (verb == Verb::kList) {
    json["parameters"] = list_parameters(entity);
    json["parameters"].push_back(header_parameter("If-None-Match", kIfNoneMatch));
    responses["200"] = list_response(entity);
    responses["304"] = {{"description", "The caller has it."}};
    add_problems(responses, {"400", "401", "403", "429", "503"});
  } else if (verb == Verb::kGet) {
    json["parameters"].push_back(header_parameter("If-None-Match", kIfNoneMatch));
    responses["200"] = row_response(entity, "The row.");
    responses["304"] = {{"description", "The caller has it."}};
    add_problems(responses, {"401", "403", "404", "429", "503"});
  } else {
    describe_write(entity, verb, json, responses);
  }
  json["responses"] = std::move(responses);
  return json;
}

Json describe(const Operation& declared, const std::string& tag) {
  Json json =
      operation({declared.method, declared.path, declared.permission, {}}, tag, declared.summary);
  for (const Field& field : declared.query) {
    Json parameter = query_parameter(field.name, "See the summary.", schema_of(field));
    parameter["required"] = field.required;
    json["parameters"].push_back(std::move(parameter));
  }
  if (!declared.body.empty()) {
    json["requestBody"] = {{"required", true},
                           {"content", json_content(schema_of(declared.body, Shape::kNew))}};
  }
  Json response{{"description", declared.summary}};
  if (!declared.returns.empty())
    response["content"] = json_content(reference("schemas", declared.returns));
  else if (declared.status != 204)
    response["content"] = json_content(Json::object());
  Json responses{{std::to_string(declared.status), std::move(response)}};
  if (declared.method == "GET" && declared.handler != nullptr) {
    json["parameters"].push_back(header_parameter("If-None-Match", kIfNoneMatch));
    responses["304"] = {{"description", "The caller has it."}};
  }
  for (const int refusal : declared.refusals)
    responses[std::to_string(refusal)] = reference("responses", "problem");
  add_problems(responses, {"400", "401", "403", "404", "409", "429", "503"});
  json["responses"] = std::move(responses);
  return json;
}

Json describe_other(const Route& route) {
  Json json = operation(route, "other", route.method + " " + path_of(route.pattern));
  json["responses"] = {{"2XX", {{"description", "Done."}}}};
  add_problems(json["responses"], {"4XX", "5XX"});
  return json;
}

Json problem_schema() {
  const Json text{{"type", "string"}};
  const Json maybe{{"type", Json::array({"string", "null"})}};
  return {{"type", "object"},
          {"required", {"type", "title", "status", "detail", "code"}},
          {"properties",
           {{"type", text},
            {"title", text},
            {"status", {{"type", "integer"}}},
            {"detail", text},
            {"code", text},
            {"error", text},
            {"message", text},
            {"details", maybe},
            {"hint", maybe},
            {"instance", text},
            {"errors",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"required", {"pointer", "detail"}},
                {"properties", {{"pointer", text}, {"detail", text}}}}}}}}}};
}

Json event_schema(const std::string& type, const Json& data) {
  return {{"type", "object"},
          {"required", {"id", "source", "specversion", "type"}},
          {"properties",
           {{"id", {{"type", "string"}}},
            {"source", {{"type", "string"}}},
            {"specversion", {{"const", "1.0"}}},
            {"type", {{"const", type}}},
            {"time", {{"type", "string"}, {"format", "date-time"}}},
            {"subject", {{"type", "string"}}},
            {"data", data}}}};
}

Json webhook(const std::string& tag, const std::string& type, const Json& data) {
  Json json{{"operationId", operation_id("on", "_" + type)},
            {"summary", "After " + type},
            {"tags", Json::array({tag})},
            {"security", Json::array()}};
  json["requestBody"] = {
      {"content", {{"application/cloudevents+json", {{"schema", event_schema(type, data)}}}}}};
  json["responses"] = {{"2XX", {{"description", "Taken."}}},
                       {"410", {{"description", "Never again."}}}};
  return {{"post", std::move(json)}};
}

class Document {
 public:
  void add(const Domain& domain) {
    json_["tags"].push_back({{"name", domain.name}, {"description", "Domain " + domain.name}});
    for (const Entity& entity : domain.entities)
      add(entity, domain.name);
    for (const Operation& declared : domain.operations)
      add_path(declared.method, declared.path, describe(declared, domain.name));
    for (const std::string& type : domain.events)
      webhooks_[type] = webhook(domain.name, type, {{"type", "object"}});
  }
  void add_other(const Route& route) {
    if (route.method == "HEAD" || route.method == "OPTIONS") return;
    if (paths_[path_of(route.pattern)].contains(lower(route.method))) return;
    add_path(route.method, route.pattern, describe_other(route));
  }
  std::string print() {
    json_["tags"].push_back({{"name", "other"}, {"description", "Routes without entities"}});
    json_["paths"] = std::move(paths_);
    json_["webhooks"] = std::move(webhooks_);
    json_["components"] = {
        {"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
          {"apikey", {{"type", "apiKey"}, {"in", "header"}, {"name", "apikey"}}}}},
        {"responses",
         {{"problem",
           {{"description", "What was wrong (RFC 9457)."},
            {"content",
             {{"application/problem+json", {{"schema", reference("schemas", "problem")}}}}}}}}},
        {"schemas", std::move(schemas_)}};
    return json_.dump();
  }

 private:
  void add(const Entity& entity, const std::string& tag) {
    const std::vector<Verb> verbs = verbs_of(entity);
    for (const Verb verb : verbs) {
      const Route route = route_of(entity, verb);
      add_path(route.method, route.pattern, describe(entity, verb, tag));
    }
    const auto has = [&verbs](Verb verb) {
      return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
    };
    if (has(Verb::kGet) || !entity.noun().empty())
      schemas_[entity.name()] = schema_of(entity.columns(), Shape::kRow);
    if (has(Verb::kCreate))
      schemas_[entity.name() + "_new"] = schema_of(entity.fields(), Shape::kNew);
    if (has(Verb::kPatch))
      schemas_[entity.name() + "_patch"] = schema_of(entity.fields(), Shape::kPatch);
    if (entity.noun().empty()) return;
    for (const char* word : {".created", ".updated", ".deleted"}) {
      const std::string type = entity.noun() + word;
      webhooks_[type] = webhook(tag, type, reference("schemas", entity.name()));
    }
  }
  void add_path(const std::string& method, const std::string& path, Json described) {
    paths_[path_of(path)][lower(method)] = std::move(described);
  }

  Json json_{{"openapi", "3.1.0"},
             {"info",
              {{"title", "Qylon"},
               {"version", QYLON_VERSION},
               {"summary", "Live captions for meetings, and the platform around them"},
               {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
             {"servers", Json::array({{{"url", "/"}}})},
             {"security", Json::array({{{"bearer", Json::array()}}, {{"apikey", Json::array()}}})},
             {"tags", Json::array()}};
  Json paths_ = Json::object();
  Json webhooks_ = Json::object();
  Json schemas_{{"problem", problem_schema()}};
};

}  // namespace

std::string openapi_document(std::span<const Domain> domains, const RouteTable& others) {
  Document document;
  for (const Domain& domain : domains)
    document.add(domain);
  for (const Route& route : others.routes())
    document.add_other(route);
  return document.print();
}

std::vector<Route> openapi_routes(std::span<const Domain> domains, const RouteTable& others) {
  const auto document = std::make_shared<const std::string>(openapi_document(domains, others));
  return {
      {"GET", "/api/openapi.json", Permission::kOpen, [document](const CallPtr&, HttpReply reply) {
         reply(json_answer(200, *document));
       }}};
}

}  // namespace qylon::api
