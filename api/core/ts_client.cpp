#include "api/core/ts_client.hpp"

#include <cctype>
#include <string_view>

#include "api/core/crud.hpp"

namespace qylon::api {
namespace {

constexpr std::string_view kRuntime =
    R"(/** A client of Qylon's entities, made by `qylon schema client`. */

export interface Page<Row> {
  items: Row[];
  /** `cursor` of the next page. */
  next: string | null;
}

export interface FieldProblem {
  pointer: string;
  detail: string;
}

/** What the server answered instead. */
export class QylonError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: FieldProblem[],
  ) {
    super(message);
  }
}

export interface ListOptions<Row> {
  limit?: number;
  cursor?: string;
  order?: `${string & keyof Row}.${"asc" | "desc"}`;
  /** Conditions, e.g. `{ status: "eq.lead" }`. */
  where?: { [Name in keyof Row]?: string };
}

export interface Options {
  /** "https://qylon.example", without a path. */
  url: string;
  token?: string;
  /** The organisation to work in, instead of the token's. */
  org?: string;
  fetch?: typeof globalThis.fetch;
}

async function send<Answer>(
  options: Options,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await (options.fetch ?? globalThis.fetch)(options.url + path, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.org === undefined ? {} : { "x-org-id": options.org }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return answer as Answer;
  throw new QylonError(
    response.status,
    answer?.code ?? "",
    answer?.detail ?? response.statusText,
    answer?.errors ?? [],
  );
}

export class Table<Row, New, Patch> {
  constructor(
    private readonly options: Options,
    private readonly path: string,
  ) {}

  list(query: ListOptions<Row> = {}): Promise<Page<Row>> {
    const { where, ...rest } = query;
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...where, ...rest }))
      if (value !== undefined) words.append(name, String(value));
    return send(this.options, "GET", `${this.path}?${words}`);
  }
  get(id: string): Promise<Row> {
    return send(this.options, "GET", `${this.path}/${id}`);
  }
  /** The same `idempotencyKey` twice makes one row. */
  create(row: New, idempotencyKey?: string): Promise<Row> {
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    return send(this.options, "POST", this.path, row, headers);
  }
  /** Changes what is named; with `tag` only while the row has that ETag. */
  update(id: string, changes: Patch, tag?: string): Promise<Row> {
    const headers = tag === undefined ? {} : { "if-match": tag };
    return send(this.options, "PATCH", `${this.path}/${id}`, changes, headers);
  }
  remove(id: string): Promise<void> {
    return send(this.options, "DELETE", `${this.path}/${id}`);
  }
}
)";

/// "ClientMetrics" of "client_metrics".
std::string type_name(const std::string& entity) {
  std::string name;
  bool upper = true;
  for (const char c : entity) {
    if (c != '_')
      name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return name;
}

std::string type_of(const Field& field) {
  std::string type;
  for (const std::string& value : field.one_of)
    type += (type.empty() ? "\"" : " | \"") + value + '"';
  if (!type.empty()) return field.required ? type : type + " | null";
  switch (field.type) {
    case FieldType::kInteger:
    case FieldType::kBigInteger:
    case FieldType::kNumber:
    case FieldType::kReal:
      type = "number";
      break;
    case FieldType::kFlag:
      type = "boolean";
      break;
    case FieldType::kDocument:
      type = "Record<string, unknown> | unknown[]";
      break;
    case FieldType::kTexts:
      type = "string[]";
      break;
    default:
      type = "string";
  }
  return field.required ? type : type + " | null";
}

std::string row_type(const Entity& entity) {
  std::string text = "export interface " + type_name(entity.name()) + " {\n";
  for (const Field& field : entity.columns()) {
    if (!field.secret) text += "  " + field.name + ": " + type_of(field) + ";\n";
  }
  return text + "}\n";
}

std::string new_type(const Entity& entity) {
  const std::string name = type_name(entity.name());
  std::string text = "export interface " + name + "New {\n";
  for (const Field& field : entity.fields()) {
    if (field.read_only) continue;
    const bool needed = field.required && field.default_sql.empty();
    text += "  " + field.name + (needed ? ": " : "?: ") + type_of(field) + ";\n";
  }
  return text + "}\nexport type " + name + "Patch = Partial<" + name + "New>;\n";
}

std::string_view method_of(Verb verb) {
  switch (verb) {
    case Verb::kList:
      return "list";
    case Verb::kGet:
      return "get";
    case Verb::kCreate:
      return "create";
    case Verb::kPatch:
      return "update";
    case Verb::kDelete:
      break;
  }
  return "remove";
}

/// "  readonly clients: Pick<Table<...>, "list" | "get">;"
std::string member(const Entity& entity) {
  const std::string name = type_name(entity.name());
  std::string methods;
  for (const Verb verb : verbs_of(entity))
    methods.append(methods.empty() ? "\"" : " | \"").append(method_of(verb)).append("\"");
  return "  readonly " + entity.name() + ": Pick<Table<" + name + ", " + name + "New, " + name +
         "Patch>, " + methods + ">;\n";
}

}  // namespace

std::string typescript_client(std::span<const Domain> domains) {
  std::string types;
  std::string members;
  std::string inits;
  for (const Domain& domain : domains) {
    for (const Entity& entity : domain.entities) {
      if (verbs_of(entity).empty()) continue;
      types += "\n" + row_type(entity) + new_type(entity);
      members += member(entity);
      inits += "    this." + entity.name() + " = new Table(options, \"" + entity.path() + "\");\n";
    }
  }
  return std::string(kRuntime) + types + "\nexport class Qylon {\n" + members +
         "\n  constructor(options: Options) {\n" + inits + "  }\n}\n";
}

}  // namespace qylon::api
