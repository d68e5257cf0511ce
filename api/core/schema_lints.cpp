#include "api/core/schema_lints.hpp"

#include <algorithm>

#include "storage/sql.hpp"

namespace qylon::api {
namespace {

constexpr const char* kForeignKeyWithoutIndex = R"sql(
  select c.relname || '.' || k.conname || ' is a foreign key without an index'
    from pg_constraint k join pg_class c on c.oid = k.conrelid
   where k.contype = 'f' and c.relnamespace = 'public'::regnamespace and not c.relispartition
     and not exists (
       select from pg_index i
        where i.indrelid = k.conrelid and i.indpred is null
          and (i.indkey[0] = any (k.conkey)
               and i.indkey[0] <> (select a.attnum from pg_attribute a
                                    where a.attrelid = k.conrelid and a.attname = 'org_id'
                                    union all select 0 limit 1)
               or (select array_agg(u order by u) from unnest(k.conkey) u)
                  = (select array_agg(u order by u)
                       from unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) u))))sql";
constexpr const char* kCallPerRow = R"sql(
  select p.tablename || '.' || p.policyname || ' calls a function once a row; write (select f())'
    from pg_policies p
   where p.schemaname = 'public'
     and regexp_replace(coalesce(p.qual, '') || coalesce(p.with_check, ''),
                        '\( SELECT (app|auth)\.[a-z_]+\([^()]*\)', '', 'g')
         ~ '(app|auth)[.][a-z_]+[(]')sql";
constexpr const char* kTwoPolicies = R"sql(
  select p.tablename || ' has several policies for ' || v.verb || ' to ' || r.role
    from pg_policies p
   cross join unnest(p.roles) r(role)
   cross join unnest(case p.cmd when 'ALL' then array['SELECT', 'INSERT', 'UPDATE', 'DELETE']
                     else array[p.cmd] end) v(verb)
   where p.schemaname = 'public' and p.permissive = 'PERMISSIVE'
   group by p.tablename, v.verb, r.role having count(*) > 1)sql";
constexpr const char* kNoPolicy = R"sql(
  select c.relname || ' has row security and no policy'
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
     and not c.relispartition
     and not exists (select from pg_policy p where p.polrelid = c.oid))sql";
constexpr const char* kViewOfOwner = R"sql(
  select c.relname || ' is a view that works as its owner; say security_invoker'
    from pg_class c
   where c.relnamespace in ('public'::regnamespace, 'app'::regnamespace) and c.relkind = 'v'
     and not coalesce(c.reloptions @> array['security_invoker=true'], false))sql";
constexpr const char* kSearchPath = R"sql(
  select p.oid::regprocedure || ' takes its caller''s search_path'
    from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace)
     and not exists (select from unnest(p.proconfig) s where s like 'search_path=%')
     and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e'))sql";
constexpr const char* kSecurityOff = R"sql(
  select c.relname || ' has row security off or not forced'
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
     and not (c.relrowsecurity and c.relforcerowsecurity)
     and c.relname <> 'schema_migrations')sql";
constexpr const char* kUserMetadata = R"sql(
  select p.tablename || '.' || p.policyname || ' reads user_metadata, which users write'
    from pg_policies p
   where p.schemaname = 'public'
     and coalesce(p.qual, '') || coalesce(p.with_check, '') like '%user_metadata%')sql";
constexpr const char* kAlwaysTrue = R"sql(
  select p.tablename || '.' || p.policyname || ' lets callers at every row'
    from pg_policies p
   where p.schemaname = 'public' and p.roles && array['anon', 'authenticated', 'public']::name[]
     and (p.qual = 'true' or p.with_check = 'true' and p.cmd <> 'INSERT'))sql";
constexpr const char* kGrant = R"sql(
  select c.relname || ' has a grant '
         || case when g.grantee = 0 then 'to everybody' else 'of its own, and is a partition' end
    from pg_class c cross join aclexplode(c.relacl) g
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
     and g.grantee <> c.relowner and (c.relispartition or g.grantee = 0))sql";

}  // namespace

Result<std::vector<std::string>> lint_schema(storage::PgConnection& owner) {
  std::vector<std::string> found;
  const Status status = owner.transact([&found](pqxx::transaction_base& transaction) {
    for (const char* rule : {kForeignKeyWithoutIndex,
                             kCallPerRow,
                             kTwoPolicies,
                             kNoPolicy,
                             kViewOfOwner,
                             kSearchPath,
                             kSecurityOff,
                             kUserMetadata,
                             kAlwaysTrue,
                             kGrant}) {
      for (const storage::SqlRow& row : storage::Sql(transaction).rows(rule))
        found.push_back(row[0].value_or(""));
    }
    return ok();
  });
  if (!status) return status.error();
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace qylon::api
