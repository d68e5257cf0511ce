#include "storage/schema_catalog.hpp"

#include <optional>
#include <utility>

#include "storage/sql.hpp"

namespace qylon::storage {
namespace {

constexpr const char* kScratch = "qylon_declared";

// Each gives rows (key, definition) for the schema $1.
constexpr const char* kTables = R"sql(
  select 'table ' || c.relname, coalesce('partition by ' || pg_get_partkeydef(c.oid), '')
    from pg_class c
   where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p')
     and not c.relispartition)sql";
constexpr const char* kColumns = R"sql(
  select 'column ' || c.relname || '.' || a.attname,
         format_type(a.atttypid, a.atttypmod)
         || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
         || case when a.attnotnull then ' not null' else '' end
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p')
     and not c.relispartition)sql";
constexpr const char* kConstraints = R"sql(
  select 'constraint ' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
    from pg_class c join pg_constraint k on k.conrelid = c.oid
   where c.relnamespace = $1::regnamespace and not c.relispartition
     and k.contype in ('p', 'u', 'f', 'c') and k.conparentid = 0)sql";
constexpr const char* kIndexes = R"sql(
  select 'index ' || c.relname || '.' || i.relname,
         regexp_replace(pg_get_indexdef(x.indexrelid), ' ON (ONLY )?[a-z_0-9.]+ ', ' ')
    from pg_class c
    join pg_index x on x.indrelid = c.oid
    join pg_class i on i.oid = x.indexrelid
   where c.relnamespace = $1::regnamespace and not c.relispartition
     and not exists (select from pg_constraint k where k.conindid = x.indexrelid
                        and k.contype in ('p', 'u')))sql";
constexpr const char* kSecurity = R"sql(
  select 'security ' || c.relname || '.rows',
         (case when c.relrowsecurity then 'enabled' else 'off' end)
         || (case when c.relforcerowsecurity then ' forced' else '' end)
    from pg_class c
   where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p')
     and not c.relispartition)sql";
constexpr const char* kPolicies = R"sql(
  select 'policy ' || c.relname || '.' || p.polname,
         p.polcmd::text || ' to '
         || (select string_agg(case when r.oid = c.relowner then 'owner' else r.rolname end, ', '
                               order by r.rolname)
               from pg_roles r where r.oid = any(p.polroles))
         || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
         || coalesce(' with check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
    from pg_class c join pg_policy p on p.polrelid = c.oid
   where c.relnamespace = $1::regnamespace)sql";
constexpr const char* kGrants = R"sql(
  select 'grant ' || c.relname || '.' || coalesce(r.rolname, 'public'),
         string_agg(lower(g.privilege_type), ', ' order by g.privilege_type)
    from pg_class c
    cross join aclexplode(c.relacl) g
    left join pg_roles r on r.oid = g.grantee
   where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     and g.grantee <> c.relowner
   group by c.relname, r.rolname)sql";
constexpr const char* kTriggers = R"sql(
  select 'trigger ' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid, true)
    from pg_class c join pg_trigger t on t.tgrelid = c.oid
   where c.relnamespace = $1::regnamespace and not c.relispartition and not t.tgisinternal)sql";

/// PostgreSQL writes names without their schema where the search path finds them.
SchemaCatalog read(Sql sql, const std::string& schema) {
  SchemaCatalog catalog;
  sql.run("select set_config('search_path', $1, true)", {schema + ", public"});
  for (const char* query :
       {kTables, kColumns, kConstraints, kIndexes, kSecurity, kPolicies, kGrants, kTriggers}) {
    for (SqlRow& row : sql.rows(query, {schema}))
      catalog.emplace(std::move(row[0]).value_or(""), std::move(row[1]).value_or(""));
  }
  return catalog;
}

}  // namespace

Result<SchemaCatalog> read_schema_catalog(PgConnection& owner, const std::string& schema) {
  SchemaCatalog catalog;
  const Status status = owner.transact([&](pqxx::transaction_base& transaction) {
    catalog = read(Sql(transaction), schema);
    return ok();
  });
  if (!status) return status.error();
  return catalog;
}

Result<SchemaCatalog> try_schema(PgConnection& owner, const std::vector<std::string>& statements) {
  std::optional<SchemaCatalog> catalog;
  std::string running;
  const Status status = owner.transact([&](pqxx::transaction_base& transaction) -> Status {
    Sql sql(transaction);
    sql.run(std::string("create schema ") + kScratch);
    sql.run("select set_config('search_path', $1, true)", {std::string(kScratch) + ", public"});
    for (const std::string& statement : statements) {
      running = statement;
      sql.run_script(statement);
    }
    running = "the catalog";
    catalog = read(sql, kScratch);
    return Error{ErrorCode::kConflict, "rolled back on purpose"};
  });
  if (catalog) return *std::move(catalog);
  return Error{status.error().code, status.error().message + ", in: " + running};
}

}  // namespace qylon::storage
